import test from 'ava';
import { openDeadLetters } from '../../core/cluster/dead-letters.js';
import type { StoredLetter } from '../../core/inspect/stored-letter.js';
import { topologyFile, Workspace } from '../support/e2e.js';
import { allPresent, balanceCloses } from '../support/e2e-checks.js';
import { Command } from '../support/e2e-command.js';
import { startRun } from '../support/e2e-run.js';

const FAULTY = topologyFile('faulty');
/** the tuple that meets the fault */
const AT = 137;

async function lettersOf(place: Workspace): Promise<StoredLetter[]> {
  const { store, close } = await openDeadLetters({ topology: place.name, state: place.state });
  try {
    const letters: StoredLetter[] = [];
    for await (const stored of store.list()) {
      if (stored.letter === undefined) throw new Error(`letter ${stored.seq} cannot be read: ${stored.why}`);
      letters.push(stored);
    }
    return letters;
  } finally {
    await close();
  }
}

test.serial('a bolt that fails one execute in a hundred: every tuple arrives, none is a dead letter', async (t) => {
  const place = await Workspace.create(t);
  const count = 20_000;
  const output = place.path('numbers.tsv');
  const { run, replays } = startRun(t, place, FAULTY, {
    workers: 2,
    set: { fault: 'random', count: String(count), output },
  });
  const result = await run.result;
  t.is(result.status, 'completed');
  const { failed, ...others } = result.spouts.numbers.replays;
  t.true(failed > count / 200 && failed < count / 50, `${failed} replays`);
  t.deepEqual(others, { timeout: 0, 'worker-lost': 0, 'link-lost': 0, 'acker-lost': 0 });
  t.is(result.bolts.work.failed, failed, 'one replay for each failure');
  t.is(result.balance.failed, failed);
  const [{ failure }] = replays.items;
  t.like(failure, { reason: 'failed', component: 'work', error: { name: 'Error' } });
  t.regex(failure.error?.message ?? '', /^a bad moment for \d+$/);
  t.is(result.spouts.numbers.deadLettered, 0);
  balanceCloses(t, result);
  t.is(allPresent(t, output, count), 0, 'a failed execute had no effect');
});

test.serial(
  'a tuple that always fails is a dead letter with each attempt, its error and its stack; the others arrive',
  async (t) => {
    const place = await Workspace.create(t);
    const count = 2000;
    const output = place.path('numbers.tsv');
    const settings = { fault: 'always', at: String(AT), attempts: '3', count: String(count), output };
    const command = await Command.run(t, place, FAULTY, settings, ['--workers', '2']);
    const { code, result } = await command.result();
    t.is(code, 3);
    t.is(result.status, 'dead-letters');
    t.like(result.spouts.numbers, { emitted: count, acked: count - 1, deadLettered: 1, pending: 0 });
    t.is(result.spouts.numbers.replays.failed, 2);
    balanceCloses(t, result);
    allPresent(t, output, count, [AT]);

    const letters = await lettersOf(place);
    t.is(letters.length, 1);
    const [{ letter }] = letters;
    t.like(letter, {
      topology: place.name,
      run: result.run,
      component: 'numbers',
      stream: 'default',
      id: String(AT),
      reason: 'failed',
    });
    t.deepEqual(letter.values, { n: AT, text: '' });
    t.deepEqual(
      letter.attempts.map(({ attempt }) => attempt),
      [1, 2, 3],
    );
    for (const { startedAt, endedAt, failure } of letter.attempts) {
      t.true(startedAt <= endedAt);
      t.like(failure, {
        reason: 'failed',
        component: 'work',
        error: { name: 'TypeError', message: `cannot take ${AT}` },
      });
      t.regex(failure.error?.stack ?? '', /topologies\/faulty\.[jt]s:\d+/, 'the stack leads to the source');
    }

    const dead = async (...args: string[]) => {
      const ended = await (
        await Command.start(t, place, ['dead', place.name, ...args, '--state', place.state])
      ).ended();
      t.is(ended.code, 0, ended.stderr);
      return ended;
    };
    t.regex((await dead('list')).stdout, new RegExp(`\\b${AT}\\b.*\\bfailed\\b.*TypeError: cannot take ${AT}`));
    const shown = (await dead('show', String(AT), '--id')).stdout;
    for (const attempt of [1, 2, 3]) t.regex(shown, new RegExp(`attempt ${attempt} .*failed in work`));
    t.is(shown.match(/TypeError: cannot take 137/g)?.length, 3);
    t.regex(shown, /topologies\/faulty\.[jt]s:\d+/);
    await dead('purge', '--yes');
    t.deepEqual(await lettersOf(place), []);
  },
);

test.serial(
  'a tuple at which the process exits is quarantined after its announced deaths; everything else arrives',
  async (t) => {
    const place = await Workspace.create(t);
    const count = 2000;
    const output = place.path('numbers.tsv');
    const { run, letters, lost } = startRun(t, place, FAULTY, {
      set: { fault: 'exit', at: String(AT), count: String(count), output },
    });
    const result = await run.result;
    t.is(result.status, 'dead-letters');
    t.like(result.spouts.numbers, { deadLettered: 1, pending: 0 });
    t.is(result.spouts.numbers.replays.failed + result.spouts.numbers.replays.timeout, 0, 'no attempt was used up');
    t.deepEqual(
      lost.items.map(({ why }) => why),
      ['exit code 7', 'exit code 7', 'exit code 7'],
      'and no crash loop',
    );
    t.like(letters.items[0], { component: 'numbers', id: String(AT), reason: 'kills-worker' });
    t.true(
      result.warnings.some((warning) => /killed .*work\[2\].* dead letters/.test(warning)),
      result.warnings.join('\n'),
    );
    balanceCloses(t, result);
    allPresent(t, output, count, [AT]);
    const [{ letter }] = await lettersOf(place);
    t.is(letter.reason, 'kills-worker');
    t.deepEqual(letter.values, { n: AT, text: '' });
    const told = letter.attempts.map(({ failure: { reason, component } }) => `${reason} ${component}`);
    // what the third execute did is known twice: as lost, and as what killed its process
    t.deepEqual([...new Set(told)], ['worker-lost work', 'kills-worker work']);
    t.is(told.at(-1), 'kills-worker work');
    t.deepEqual([...new Set(letter.attempts.map(({ attempt }) => attempt))], [1, 2, 3]);
  },
);

test.serial('a replay is told, also when the run is complete at once after it', async (t) => {
  const place = await Workspace.create(t);
  const count = 50;
  const { run, replays } = startRun(t, place, FAULTY, {
    workers: 1,
    set: { fault: 'once', at: String(count - 1), count: String(count), output: place.path('numbers.tsv') },
  });
  t.is((await run.result).status, 'completed');
  t.deepEqual(
    replays.items.map(({ id, failure }) => [id, failure.reason]),
    [[String(count - 1), 'failed']],
  );
});

test.serial('an execute that never settles is failed after executeTimeoutMs, and the run goes on', async (t) => {
  const place = await Workspace.create(t);
  const output = place.path('numbers.tsv');
  const { run, replays } = startRun(t, place, FAULTY, {
    workers: 1,
    set: { fault: 'hang-once', at: String(AT), executeTimeout: '400', output },
  });
  const result = await run.result;
  t.is(result.status, 'completed');
  t.deepEqual(
    replays.items.map(({ id, attempt, failure }) => [id, attempt, failure.reason]),
    [[String(AT), 2, 'failed']],
  );
  t.regex(
    replays.items[0].failure.error?.message ?? '',
    /work\[2\]: execute did not settle within executeTimeoutMs = 400/,
  );
  balanceCloses(t, result);
  t.is(allPresent(t, output, 1000), 0);
});

test.serial(
  'a rejection that nobody handles ends the worker with its error; it is replaced, and nothing is lost',
  async (t) => {
    const place = await Workspace.create(t);
    const output = place.path('numbers.tsv');
    const { run, lost, lines } = startRun(t, place, FAULTY, {
      set: { fault: 'reject-once', at: String(AT), count: '20000', output },
    });
    const result = await run.result;
    t.is(result.status, 'completed');
    t.deepEqual(
      lost.items.map(({ title }) => title),
      [`squall ${place.name} work[2]`],
    );
    t.true(
      lines.items.some((line) => line.includes('nobody catches this')),
      'its error is shown',
    );
    t.is(result.workers.restarts, 1);
    balanceCloses(t, result);
    allPresent(t, output, 20_000);
  },
);

test.serial(
  'an event loop that is blocked for longer than the message time-out is late, not dead: no replay',
  async (t) => {
    const place = await Workspace.create(t);
    const output = place.path('numbers.tsv');
    const { run, lost } = startRun(t, place, FAULTY, {
      set: { fault: 'block-once', at: String(AT), timeout: '2000', count: '20000', output },
    });
    const result = await run.result;
    t.is(result.status, 'completed');
    t.deepEqual(lost.items, []);
    t.deepEqual(result.spouts.numbers.replays, {
      failed: 0,
      timeout: 0,
      'worker-lost': 0,
      'link-lost': 0,
      'acker-lost': 0,
    });
    t.true(result.completeLatencyMs.max >= 2900, 'it was blocked');
    balanceCloses(t, result);
    t.is(allPresent(t, output, 20_000), 0);
  },
);

test.serial(
  'an event loop that is blocked for longer than executeTimeoutMs: the process is killed and replaced',
  async (t) => {
    const place = await Workspace.create(t);
    const output = place.path('numbers.tsv');
    const { run, lost } = startRun(t, place, FAULTY, {
      set: { fault: 'block-once', at: String(AT), executeTimeout: '1200', output },
    });
    const result = await run.result;
    t.is(result.status, 'completed');
    t.deepEqual(
      lost.items.map(({ why }) => why),
      ['its event loop was blocked for more than executeTimeoutMs = 1200'],
    );
    t.is(result.spouts.numbers.replays.timeout + result.spouts.numbers.replays.failed, 0);
    balanceCloses(t, result);
    allPresent(t, output, 1000);
  },
);

test.serial(
  'a spout tuple beyond max_payload is a dead letter with its sizes and its head; the others arrive',
  async (t) => {
    const place = await Workspace.create(t);
    const output = place.path('numbers.tsv');
    const { run, lost } = startRun(t, place, FAULTY, { workers: 2, set: { grows: 'spout', at: String(AT), output } });
    const result = await run.result;
    t.is(result.status, 'dead-letters');
    t.like(result.spouts.numbers, { emitted: 1000, acked: 999, deadLettered: 1, pending: 0 });
    t.deepEqual(lost.items, []);
    balanceCloses(t, result);
    allPresent(t, output, 1000, [AT]);
    const [{ letter }] = await lettersOf(place);
    t.like(letter, { reason: 'oversize', id: String(AT) });
    t.deepEqual(letter.values, { n: AT, text: { chars: 2 << 20, head: 'x'.repeat(1024) } });
    t.regex(letter.attempts[0].failure.error?.message ?? '', /2097\d\d\d bytes.*max_payload of 1048576 bytes/);
  },
);

test.serial('an emit beyond max_payload fails the input of its bolt, with the sizes; the others arrive', async (t) => {
  const place = await Workspace.create(t);
  const output = place.path('numbers.tsv');
  const { run, lost } = startRun(t, place, FAULTY, {
    workers: 2,
    set: { grows: 'bolt', at: String(AT), attempts: '2', output },
  });
  const result = await run.result;
  t.is(result.status, 'dead-letters');
  t.like(result.spouts.numbers, { emitted: 1000, acked: 999, deadLettered: 1, pending: 0 });
  t.deepEqual(lost.items, []);
  t.is(result.bolts.work.failed, 2);
  balanceCloses(t, result);
  allPresent(t, output, 1000, [AT]);
  const [{ letter }] = await lettersOf(place);
  t.is(letter.reason, 'failed');
  t.regex(letter.attempts[1].failure.error?.message ?? '', /work\[2\] stream "default".*2097\d\d\d bytes.*max_payload/);
});
