import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { ControlClient } from '../../core/cluster/control-client.js';
import { ControlDesk, type DeskAction } from '../../core/cluster/control-desk.js';
import { controlSubject, decodeAnswer, decodeRequest, encode } from '../../core/cluster/control-messages.js';
import type { RunResult } from '../../core/cluster/run-types.js';
import { MemoryNetwork } from '../../core/transport/memory.js';
import { runResult, runSnapshot } from '../cli/fake-run.js';

interface Site {
  readonly network: MemoryNetwork;
  readonly client: ControlClient;
  /** a run that answers; what it was asked to do is in `acts` */
  run(topology: string, start: string, refuse?: string): { readonly desk: ControlDesk; readonly acts: DeskAction[] };
}

function site(t: ExecutionContext): Site {
  const network = new MemoryNetwork();
  const client = new ControlClient(network.connect());
  t.teardown(() => client.close());
  return {
    network,
    client,
    run(topology, start, refuse) {
      const acts: DeskAction[] = [];
      const desk = new ControlDesk(network.connect(), {
        topology,
        run: `run-${start}`,
        start,
        snapshot: () => runSnapshot({ topology }),
        act(action) {
          acts.push(action);
          return refuse;
        },
      });
      return { desk, acts };
    },
  };
}

test('all runs are heard of, or those of one topology', async (t) => {
  const { client, run } = site(t);
  run('a', 's1');
  run('a', 's2');
  run('b', 's3');
  const starts = async (topology?: string) => (await client.runs(topology)).map(({ start }) => start).sort();
  t.deepEqual(await starts(), ['s1', 's2', 's3']);
  t.deepEqual(await starts('a'), ['s1', 's2']);
  t.deepEqual(await starts('c'), []);
  const [{ pid, snapshot, ...rest }] = await client.runs('b');
  t.is(pid, process.pid);
  t.deepEqual(snapshot, runSnapshot({ topology: 'b' }));
  t.deepEqual(Object.keys(rest).sort(), ['host', 'run', 'start', 'startedAt', 'topology']);
});

test('only the run that is meant does what is asked, and its refusal is told', async (t) => {
  const { client, run } = site(t);
  const meant = run('a', 's1', 'it is about to end');
  const other = run('a', 's2');
  const found = await client.runs('a');
  const answer = await client.tell(found.find(({ start }) => start === 's1') as never, 'pause');
  t.is(answer.refused, 'it is about to end');
  t.deepEqual(meant.acts, ['pause']);
  t.deepEqual(other.acts, []);
});

test('who drains a run is told of its end, also when that comes before anybody waits for it', async (t) => {
  const { client, run } = site(t);
  const { desk } = run('a', 's1');
  const [found] = await client.runs('a');
  await client.tell(found, 'drain');
  await desk.ended(runResult({ status: 'stopped', drained: true }));
  t.deepEqual(await client.ended(found, () => {}), { type: 'ended', start: 's1', status: 'stopped', drained: true });
});

test('who waits hears how the run fares until it ends', async (t) => {
  const { client, run } = site(t);
  const { desk } = run('a', 's1');
  const [found] = await client.runs('a');
  const heard = await new Promise<unknown>((resolve) => {
    const end = client.ended(found, ({ snapshot }) => {
      void desk.ended({ status: 'failed' } as RunResult);
      resolve(end.then((last) => [snapshot.phase, last?.status]));
    });
  });
  t.deepEqual(heard, ['running', 'failed']);
});

test('a link that breaks meanwhile is no end: what is asked is asked again', async (t) => {
  const { network, client, run } = site(t);
  const { acts } = run('a', 's1');
  const [found] = await client.runs('a');
  network.down();
  const told = client.tell(found, 'resume');
  setImmediate(() => network.up());
  await told;
  t.deepEqual(acts, ['resume']);
});

test('a run that is gone without a word is told as such', async (t) => {
  const { client, run } = site(t);
  run('a', 's1');
  const [found] = await client.runs('a');
  const gone = { ...found, start: 'gone' };
  await Promise.all([
    t.throwsAsync(client.tell(gone, 'kill'), { code: 'ERR_SQUALL_NO_ANSWER' }),
    client.ended(gone, () => {}).then((end) => t.is(end, undefined)),
  ]);
});

test('nobody can act on runs without naming one, nor by the subject that all share', async (t) => {
  const { network, run, client } = site(t);
  const { acts } = run('a', 's1');
  const stranger = network.connect();
  stranger.publish(controlSubject('a'), encode({ action: 'kill', reply: 'x' }));
  stranger.publish(controlSubject('a'), encode({ action: 'kill', reply: 'x', start: 's2' }));
  stranger.publish(controlSubject(), encode({ action: 'kill', reply: 'x', start: 's1' }));
  stranger.publish(controlSubject(), encode({ action: 'kill', reply: 'x' }));
  await client.runs('a');
  t.deepEqual(acts, []);
});

test('what strangers send does no harm, and answers go nowhere but beside the question', async (t) => {
  const { network, run, client } = site(t);
  const { acts } = run('a', 's1');
  const stranger = network.connect();
  const heard: string[] = [];
  stranger.subscribe('squall.>', (_bytes, subject) => void heard.push(subject));
  const requests = [
    '',
    'null',
    '7',
    '{}',
    '[]',
    '{"squall":1}',
    '{"squall":2,"action":"kill","reply":"x","start":"s1"}',
    '{"squall":1,"action":"explode","reply":"x","start":"s1"}',
    '{"squall":1,"action":"kill","reply":"a.b","start":"s1"}',
    '{"squall":1,"action":"kill","reply":">","start":"s1"}',
    '{"squall":1,"action":"kill","reply":"x","start":7}',
    `{"squall":1,"action":"kill","reply":"x","start":"s1","more":"${'y'.repeat(2000)}"}`,
  ];
  for (const text of requests) stranger.publish(controlSubject('a'), Buffer.from(text));
  for (const text of requests) stranger.publish(controlSubject(), Buffer.from(text));
  t.is((await client.runs('a')).length, 1);
  t.deepEqual(acts, []);
  t.deepEqual(
    heard.filter((subject) => !/^squall\.(a\.)?(_control|_reply\.[0-9a-f]{24})$/.test(subject)),
    [],
  );
});

test('any bytes are a message or nothing, and never an error', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          decodeRequest(bytes);
          decodeAnswer(bytes);
        },
      ),
    ),
  );
  const damaged = {
    squall: 1,
    type: 'run',
    to: 'status',
    topology: 'a',
    run: 'r',
    start: 's',
    pid: 1,
    host: 'h',
    startedAt: 1,
  };
  for (const snapshot of [
    undefined,
    null,
    {},
    { ...runSnapshot(), spouts: { lines: null } },
    { ...runSnapshot(), tasks: 1 },
  ]) {
    t.is(decodeAnswer(Buffer.from(JSON.stringify({ ...damaged, snapshot }))), undefined);
  }
});

test('a run of so many tasks that its answer is too large for the server answers without their list', async (t) => {
  const network = new MemoryNetwork({ maxPayload: 4096 });
  const client = new ControlClient(network.connect());
  t.teardown(() => client.close());
  const tasks = Array.from({ length: 200 }, (_, task) => ({
    component: `c[${task}]`,
    task,
    pid: 1,
    state: 'ready' as const,
    restarts: 0,
  }));
  new ControlDesk(network.connect(), {
    topology: 'a',
    run: 'r',
    start: 's',
    snapshot: () => runSnapshot({ tasks }),
    act: () => undefined,
  });
  const [found] = await client.runs('a');
  t.deepEqual(found.snapshot.tasks, []);
});
