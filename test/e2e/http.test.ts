import { createHmac } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { freePort } from '../../core/cluster/nats-server.js';
import { NatsTransport } from '../../core/transport/nats.js';
import { topologyFile, until, Workspace } from '../support/e2e.js';
import { balanceCloses, numbersIn } from '../support/e2e-checks.js';
import { startRun } from '../support/e2e-run.js';
import { TestNats } from '../support/nats.js';

const DEADLINE_MS = 60_000;
/** While the process that listens is started again, those who post ask again after that. */
const ASK_AGAIN_MS = 20;
const ENV = 'SQUALL_TEST_WEBHOOK_SECRET';

async function place(t: ExecutionContext, set: Readonly<Record<string, string>> = {}, given?: Workspace) {
  const folder = given ?? (await Workspace.create(t));
  const nats = await TestNats.start();
  t.teardown(() => nats.stop());
  const port = await freePort();
  const output = folder.path('out.tsv');
  const settings = { port: String(port), output, ...set };
  const running = startRun(t, folder, topologyFile('hooks'), { nats: nats.options, set: settings });
  await until(() => running.ready.items.length > 0, 'the run to begin', DEADLINE_MS);
  const post = (body: string, headers: Record<string, string> = {}, path = '/hooks') =>
    fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body, headers, signal: AbortSignal.timeout(10_000) });
  return { folder, nats, output, running, post };
}

test.serial('what was answered with 202 is processed, though the process that listens is killed', async (t) => {
  const { output, running, post } = await place(t);
  const accepted = new Set<number>();
  let next = 0;
  let over = false;
  const posting = Array.from({ length: 4 }, async () => {
    while (!over) {
      const n = next++;
      // as those who post do: until it is accepted
      while (!over) {
        const status = await post(JSON.stringify({ n }), { 'X-Delivery': `n${n}` }).then(
          (answer) => answer.status,
          () => 0,
        );
        if (status === 202) {
          accepted.add(n);
          break;
        }
        await delay(ASK_AGAIN_MS);
      }
    }
  });
  for (let kills = 0; kills < 2; kills++) {
    const before = accepted.size;
    await until(() => accepted.size >= before + 100, '100 more to be accepted', DEADLINE_MS);
    await running.killAndAwait('hooks[1]');
  }
  const before = accepted.size;
  await until(() => accepted.size >= before + 100, '100 more to be accepted at the end', DEADLINE_MS);
  over = true;
  await Promise.all(posting);
  const missing = () => {
    const there = new Set(numbersIn(output, next).missing);
    return [...accepted].filter((n) => there.has(n));
  };
  await until(() => missing().length === 0, 'all that was accepted to arrive', DEADLINE_MS).catch(() => {});
  t.deepEqual(missing().slice(0, 5), []);
  await running.run.stop();
  const result = await running.run.result;
  t.is(result.status, 'stopped');
  balanceCloses(t, result);
  t.log(`${accepted.size} accepted, ${numbersIn(output, next).repeats} came twice`);
});

test.serial(
  'who does not know the secret gets 401, a body over the limit 413, other paths and methods 404 and 405',
  async (t) => {
    process.env[ENV] = 'open sesame';
    const { running, post } = await place(t, { env: ENV, scheme: 'hmac' });
    const sign = (body: string, key = 'open sesame') => createHmac('sha256', key).update(body).digest('hex');
    const status = async (...given: Parameters<typeof post>) => (await post(...given)).status;
    const body = '{"n":1}';
    t.is(await status(body), 401);
    t.is(await status(body, { 'X-Hub-Signature-256': `sha256=${sign(body, 'wrong')}` }), 401);
    t.is(await status(body, { 'X-Hub-Signature-256': `sha256=${sign(body)}` }), 202);
    const large = JSON.stringify({ n: 1, text: 'x'.repeat(1000) });
    t.is(await status(large, { 'X-Hub-Signature-256': `sha256=${sign(large)}` }), 413);
    t.is(await status(body, {}, '/other'), 404);
    const id = { 'X-Hub-Signature-256': sign(body), 'X-Delivery': 'once' };
    t.like(await (await post(body, id)).json(), { duplicate: false });
    t.like(await (await post(body, id)).json(), { duplicate: true });
    await until(() => running.acked >= 2, 'both to be complete', DEADLINE_MS);
    t.notRegex(running.lines.items.join('\n'), /sesame/);
  },
);

test.serial('while the stream cannot be reached the answer is 503, and 202 once it is back', async (t) => {
  const { nats, running, post } = await place(t);
  t.is((await post('{"n":0}')).status, 202);
  await nats.kill9();
  const refused = await post('{"n":1}');
  t.is(refused.status, 503);
  t.is(refused.headers.get('Retry-After'), '1');
  await nats.restart();
  await until(() => running.run.snapshot().tasks.length > 0, 'the run to be there');
  let answer = 0;
  for (const deadline = performance.now() + DEADLINE_MS; answer !== 202 && performance.now() < deadline; ) {
    answer = (await post('{"n":2}')).status;
  }
  t.is(answer, 202);
  await until(() => running.acked >= 2, 'what was accepted to be complete', DEADLINE_MS);
});

test.serial(
  'a full stream answers 503 and loses nothing that was answered with 202; what is processed makes room',
  async (t) => {
    const folder = await Workspace.create(t);
    const gate = folder.path('gate');
    writeFileSync(gate, '');
    const { nats, running, post, output } = await place(t, { maxBytes: '4000', gate }, folder);
    const statusOf = async (n: number) => (await post(JSON.stringify({ n, text: 'x'.repeat(500) }))).status;
    const answers: number[] = [];
    while (answers.at(-1) !== 503 && answers.length < 20) answers.push(await statusOf(answers.length));
    const accepted = answers.length - 1;
    t.deepEqual([...new Set(answers)], [202, 503]);
    t.true(accepted > 2, `${accepted} accepted`);
    rmSync(gate);
    await until(() => running.acked >= accepted, 'all that was accepted to be complete', DEADLINE_MS);
    // one that cannot be decoded is a dead letter, and makes room too
    t.is((await post('no JSON'.repeat(100))).status, 202);
    for (let n = accepted; n < 3 * accepted; n++) t.is(await statusOf(n), 202);
    await until(() => running.acked >= 3 * accepted, 'what came then to be complete', DEADLINE_MS);
    t.deepEqual(numbersIn(output, 3 * accepted), { strange: [], missing: [], repeats: 0 });
    const transport = await NatsTransport.connect({ ...nats.options, name: 'test' });
    t.teardown(() => transport.close());
    for (const deadline = performance.now() + DEADLINE_MS; performance.now() < deadline; await delay(ASK_AGAIN_MS))
      if ((await transport.jetstream().info('HOOKS'))?.messages === 0) break;
    t.like(await transport.jetstream().info('HOOKS'), { messages: 0, lastSeq: 3 * accepted + 1 });
  },
);
