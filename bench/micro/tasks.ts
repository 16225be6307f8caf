/**
 * What a tuple costs inside a task, without network and processes: one spout, split, count and acker task in this
 * process, with frames handed over as bytes as NATS would. CPU nanoseconds per sentence and task:
 * `node dist/bench/micro/tasks.js`.
 */
import { randomFillSync } from 'node:crypto';
import { AckerTask } from '../../core/runtime/acker-task.js';
import { BoltTask } from '../../core/runtime/bolt-task.js';
import { realClock } from '../../core/runtime/clock.js';
import type { TaskEnv } from '../../core/runtime/env.js';
import { Metrics } from '../../core/runtime/metrics.js';
import { SpoutTask } from '../../core/runtime/spout-task.js';
import type { BoltDefinition, ComponentPlan, SpoutDefinition, TaskContext } from '../../core/topology/definition.js';
import { planOf } from '../../core/topology/plan.js';
import type { Transport } from '../../core/transport/transport.js';
import { EdgeIds } from '../../core/tuple/edge-ids.js';
import { newTurn } from '../../core/wire/frame-memory.js';
import { OPEN_KEY } from '../../core/wire/sip-hash.js';
import { Subjects } from '../../core/wire/subjects.js';
import makeTopology from '../topologies/word-count.js';

const plan = planOf(makeTopology());
const subjects = new Subjects(plan.name, 'micro');
const mail: { subject: string; bytes: Buffer }[] = [];
const transport: Transport = {
  maxPayload: 1 << 20,
  connected: true,
  publish(subject, bytes) {
    mail.push({ subject, bytes: Buffer.from(bytes) });
    return true;
  },
  subscribe: () => ({ unsubscribe() {} }),
  flush: async () => {},
  drain: async () => {},
  close: async () => {},
  reconnect: async () => {},
};
const ACKER = 4;
let letters = 0;
const spent = new Map<string, number>();
const quiet = { ...realClock, every: () => () => {}, after: () => () => {} };

function env(component: string, task: number): TaskEnv {
  return {
    plan,
    run: 'micro',
    debug: false,
    component,
    config: (plan.components.find(({ name }) => name === component) ?? plan.components[0]).config,
    task,
    index: 0,
    tasks: 1,
    epoch: 1,
    ackers: [ACKER],
    frameKey: OPEN_KEY,
    nextLetter: () => ++letters,
    clock: quiet,
    edgeIds: new EdgeIds((pool) => void randomFillSync(pool)),
    random: Math.random,
    data: transport,
    control: transport,
    subjects,
    peerEpoch: () => 1,
    local: () => undefined,
    isLocal: () => false,
    activeSenders: () => 1,
    askClaims() {},
    wake() {},
    report: {
      ended() {},
      position() {},
      channelClosed() {},
      warn: console.error,
      replay: console.error,
      deadLetter: async () => {},
      suspect() {},
      fatal: console.error,
    },
  };
}

function timed(name: string, action: () => void): void {
  const start = process.hrtime.bigint();
  action();
  spent.set(name, (spent.get(name) ?? 0) + Number(process.hrtime.bigint() - start));
}

const [spoutPlan, splitPlan, countPlan] = plan.components;
const spout = new SpoutTask(env(spoutPlan.name, 1), spoutPlan.definition as SpoutDefinition, undefined);
const split = new BoltTask(env(splitPlan.name, 2), splitPlan.definition as BoltDefinition);
const count = new BoltTask(env(countPlan.name, 3), countPlan.definition as BoltDefinition);
const acker = new AckerTask(env('__acker', ACKER), () => {});
const contextOf = ({ config }: ComponentPlan) =>
  ({ metrics: new Metrics(), position: undefined, config }) as unknown as TaskContext;
await Promise.all([
  spout.start(contextOf(spoutPlan)),
  split.start(contextOf(splitPlan)),
  count.start(contextOf(countPlan)),
]);
const tasks = { spout, split, count };
for (const task of Object.values(tasks)) {
  for (const peer of [1, 2, 3, ACKER]) task.peerReady(peer, 1);
  task.go();
}

const routes: Record<string, [string, (bytes: Buffer) => void]> = {
  [subjects.data(2, 1)]: ['split', (bytes) => split.inbox.acceptFrame(bytes)],
  [subjects.data(3, 1)]: ['count', (bytes) => count.inbox.acceptFrame(bytes)],
  [subjects.acks(ACKER, 1)]: ['acker', (bytes) => acker.acceptFrame(bytes)],
  [subjects.ledger(1, 1)]: ['spout', (bytes) => spout.acceptLedgerFrame(bytes)],
  [subjects.credit(1)]: ['spout', (bytes) => spout.sender.acceptFrame(bytes)],
  [subjects.credit(2)]: ['split', (bytes) => split.sender.acceptFrame(bytes)],
  [subjects.credit(3)]: ['count', (bytes) => count.sender.acceptFrame(bytes)],
};

const SECONDS = Number(process.argv[2] ?? 6);
const deadline = performance.now() + SECONDS * 1000;
const warm = performance.now() + (SECONDS * 1000) / 3;
let counting = false;
let ackedBefore = 0;
while (performance.now() < deadline) {
  if (!counting && performance.now() > warm) {
    counting = true;
    spent.clear();
    ackedBefore = spout.origin.counts.acked;
  }
  newTurn();
  for (const [name, task] of Object.entries(tasks)) timed(name, () => void task.turn());
  timed('acker', () => acker.flush());
  for (const { subject, bytes } of mail.splice(0)) {
    const [name, accept] = routes[subject];
    timed(name, () => accept(bytes));
  }
  for (const link of spout.sender.acks.links.values()) link.probe(performance.now() + 300);
  for (const link of split.sender.acks.links.values()) link.probe(performance.now() + 300);
  for (const link of count.sender.acks.links.values()) link.probe(performance.now() + 300);
}
const acked = spout.origin.counts.acked - ackedBefore;
let total = 0;
for (const [name, ns] of spent) {
  total += ns;
  console.log(`${name.padEnd(6)} ${(ns / acked).toFixed(0).padStart(6)} ns per sentence`);
}
console.log(`total  ${(total / acked).toFixed(0).padStart(6)} ns per sentence, ${acked} sentences`);
process.exit(0);
