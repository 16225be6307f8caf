/** What every implementation of DurableStreams must do. */
import type { ExecutionContext, TestFn } from 'ava';
import type { DurableRecord, DurableStreams, ReadOptions } from '../../core/transport/durable.js';

export interface TestStreams {
  readonly streams: DurableStreams;
  down(): Promise<void>;
  up(): Promise<void>;
  stop(): Promise<void>;
}

const MEGABYTE = 1 << 20;

export function durableConformance(test: TestFn, open: () => Promise<TestStreams>): void {
  const claim = (title: string, body: (t: ExecutionContext, setup: TestStreams) => Promise<void>): void => {
    test(`streams: ${title}`, async (t) => {
      const setup = await open();
      t.teardown(() => setup.stop());
      await body(t, setup);
    });
  };
  const bytes = (value: string): Uint8Array => Buffer.from(value);
  const all = async (streams: DurableStreams, stream: string, options?: ReadOptions): Promise<DurableRecord[]> => {
    const records: DurableRecord[] = [];
    for await (const record of streams.read(stream, options)) records.push(record);
    return records;
  };
  const brief = (records: readonly DurableRecord[]): string[] =>
    records.map(({ seq, subject, bytes: content }) => `${seq} ${subject} ${Buffer.from(content)}`);

  claim('what was appended is read in order, from any record, up to any number', async (t, { streams }) => {
    await streams.ensureStream({ name: 'S', subjects: ['s.>'], maxBytes: MEGABYTE });
    const before = Date.now();
    const expected: string[] = [];
    for (let index = 1; index <= 40; index++) {
      const appended = await streams.append(`s.${index % 3}`, bytes(`record ${index}`), { msgId: `id-${index}` });
      // not `duplicate`: on a busy machine a first try may time out, and its record is found by the second
      t.is(appended.seq, index);
      expected.push(`${index} s.${index % 3} record ${index}`);
    }
    const records = await all(streams, 'S');
    t.deepEqual(brief(records), expected);
    t.true(records.every(({ timeMs }) => timeMs >= before - 1000 && timeMs <= Date.now() + 1000));
    t.deepEqual(brief(await all(streams, 'S', { fromSeq: 7, limit: 20 })), expected.slice(6, 26));
    t.deepEqual(brief(await all(streams, 'S', { fromSeq: 41 })), []);
    const info = await streams.info('S');
    t.like(info, { messages: 40, firstSeq: 1, lastSeq: 40 });
    t.true((info?.bytes ?? 0) > 40 * 'record 1'.length);
  });

  claim('binary and empty records come back as they were', async (t, { streams }) => {
    await streams.ensureStream({ name: 'S', subjects: ['s'], maxBytes: MEGABYTE });
    const binary = Uint8Array.from({ length: 1000 }, (_, index) => index);
    await streams.append('s', binary, { msgId: '1' });
    await streams.append('s', new Uint8Array(0), { msgId: '2' });
    const records = await all(streams, 'S');
    t.deepEqual(
      records.map((record) => [...record.bytes]),
      [[...binary], []],
    );
  });

  claim('the same message id is the same record, whatever characters it has', async (t, { streams }) => {
    await streams.ensureStream({ name: 'S', subjects: ['s'], maxBytes: MEGABYTE });
    const ids = ['plain', 'ümlaut €', 'a\r\nNats-Evil: 1', ' ', 'x'.repeat(5000)];
    for (const [index, msgId] of ids.entries()) {
      t.is((await streams.append('s', bytes('1'), { msgId })).seq, index + 1);
      t.deepEqual(await streams.append('s', bytes('2'), { msgId }), { seq: index + 1, duplicate: true });
    }
    await streams.purge('S');
    t.like(await streams.append('s', bytes('3'), { msgId: 'plain' }), { duplicate: true }, 'also when it was purged');
    t.like(await streams.info('S'), { messages: 0, firstSeq: ids.length + 1, lastSeq: ids.length });
  });

  claim(
    'purge removes up to a record, or a subject, or everything; reading steps over the holes',
    async (t, { streams }) => {
      await streams.ensureStream({ name: 'S', subjects: ['s.*'], maxBytes: MEGABYTE });
      for (let index = 1; index <= 100; index++) {
        await streams.append(index === 1 || index === 60 || index === 100 ? 's.keep' : 's.go', bytes('x'), {
          msgId: `${index}`,
        });
      }
      t.is(await streams.purge('S', { subject: 's.go' }), 97);
      t.deepEqual(brief(await all(streams, 'S')), ['1 s.keep x', '60 s.keep x', '100 s.keep x']);
      t.deepEqual(brief(await all(streams, 'S', { fromSeq: 2, limit: 1 })), ['60 s.keep x']);
      t.is(await streams.purge('S', { upToSeq: 60 }), 2);
      const info = await streams.info('S');
      t.like(info, { messages: 1, lastSeq: 100 });
      t.true(info !== undefined && info.firstSeq > 60 && info.firstSeq <= 100, `firstSeq ${info?.firstSeq}`);
      t.is(await streams.purge('S'), 1);
      t.deepEqual(await all(streams, 'S'), []);
    },
  );

  claim('the oldest records go when there are too many bytes', async (t, { streams }) => {
    await streams.ensureStream({ name: 'S', subjects: ['s'], maxBytes: 10_000 });
    for (let index = 1; index <= 30; index++) await streams.append('s', new Uint8Array(1000), { msgId: `${index}` });
    const info = await streams.info('S');
    t.is(info?.lastSeq, 30);
    t.true(
      info !== undefined && info.bytes <= 10_000 && info.messages >= 8 && info.messages < 10,
      JSON.stringify(info),
    );
  });

  claim(
    'a full stream that discards what is new refuses it, keeps the old, and takes it when there is room',
    async (t, { streams }) => {
      await streams.ensureStream({ name: 'S', subjects: ['s'], maxBytes: 10_000, discard: 'new' });
      const append = (msgId: string) => streams.append('s', new Uint8Array(4000), { msgId, withinMs: 300 });
      await append('1');
      await append('2');
      await t.throwsAsync(append('3'), { code: 'ERR_SQUALL_STREAM_UNAVAILABLE' });
      t.like(await streams.info('S'), { messages: 2, firstSeq: 1, lastSeq: 2 });
      await streams.purge('S', { upToSeq: 1 });
      t.deepEqual(await append('3'), { seq: 3, duplicate: false });
    },
  );

  claim('a stream that does not exist has no info, reads as nothing, and can be deleted', async (t, { streams }) => {
    t.is(await streams.info('S'), undefined);
    t.deepEqual(await all(streams, 'S'), []);
    await streams.delete('S');
    await t.throwsAsync(streams.purge('S'), { code: 'ERR_SQUALL_STREAM_REFUSED' });
    await streams.ensureStream({ name: 'S', subjects: ['s'], maxBytes: MEGABYTE });
    t.deepEqual(await streams.info('S'), { messages: 0, bytes: 0, firstSeq: 0, lastSeq: 0 });
    await streams.delete('S');
    t.is(await streams.info('S'), undefined);
  });

  claim(
    'ensureStream keeps the records, changes the limits, and refuses subjects of another stream',
    async (t, { streams }) => {
      await streams.ensureStream({ name: 'S', subjects: ['s.a'], maxBytes: MEGABYTE });
      await streams.append('s.a', bytes('x'), { msgId: '1' });
      await streams.ensureStream({ name: 'S', subjects: ['s.a'], maxBytes: MEGABYTE });
      await streams.ensureStream({ name: 'S', subjects: ['s.a', 's.b'], maxBytes: 2 * MEGABYTE, maxAgeMs: 60_000 });
      await streams.append('s.b', bytes('y'), { msgId: '2' });
      t.deepEqual(brief(await all(streams, 'S')), ['1 s.a x', '2 s.b y']);
      const clash = { name: 'T', subjects: ['s.*'], maxBytes: MEGABYTE };
      await t.throwsAsync(streams.ensureStream(clash), { code: 'ERR_SQUALL_STREAM_CONFIG' });
      await Promise.all(
        [1, 2, 3].map((size) => streams.ensureStream({ name: 'U', subjects: ['u'], maxBytes: size * MEGABYTE })),
      );
      t.not(await streams.info('U'), undefined);
    },
  );

  claim('names and subjects that are none are refused', async (t, { streams }) => {
    const bad = { code: 'ERR_SQUALL_BAD_SUBJECT' };
    await t.throwsAsync(streams.ensureStream({ name: 'a.b', subjects: ['s'], maxBytes: 1 }), bad);
    await t.throwsAsync(streams.ensureStream({ name: 'S', subjects: ['s\r\n'], maxBytes: 1 }), bad);
    await t.throwsAsync(streams.append('s *', bytes(''), { msgId: '1' }), bad);
    await t.throwsAsync(all(streams, 'S.>'), bad);
    await t.throwsAsync(streams.purge('S', { subject: ' ' }), bad);
    await t.throwsAsync(streams.delete('*'), bad);
  });

  claim('an append that no stream takes ends at its deadline', async (t, { streams }) => {
    await t.throwsAsync(streams.append('nowhere', bytes(''), { msgId: '1', withinMs: 2000 }), {
      code: 'ERR_SQUALL_STREAM_UNAVAILABLE',
      message: /no stream takes this subject/,
    });
  });

  claim(
    'records survive an outage, and an append that meets one is stored once when it is over',
    async (t, { streams, down, up }) => {
      await streams.ensureStream({ name: 'S', subjects: ['s'], maxBytes: MEGABYTE });
      for (let index = 1; index <= 20; index++) await streams.append('s', bytes(`${index}`), { msgId: `${index}` });
      const flying = streams.append('s', bytes('21'), { msgId: '21', withinMs: 20_000 });
      await down();
      const waiting = streams.append('s', bytes('22'), { msgId: '22', withinMs: 20_000 });
      await t.throwsAsync(streams.append('s', bytes('late'), { msgId: 'late', withinMs: 100 }), {
        code: 'ERR_SQUALL_STREAM_UNAVAILABLE',
      });
      await up();
      await Promise.all([flying, waiting]);
      const contents = (await all(streams, 'S')).map((record) => Buffer.from(record.bytes).toString());
      t.deepEqual(
        contents.toSorted((a, b) => Number(a) - Number(b)),
        Array.from({ length: 22 }, (_, index) => `${index + 1}`),
      );
    },
  );
}
