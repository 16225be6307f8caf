/** What is true of one edge, from a source's stream to a target's input. */
import type { ComponentPlan, EdgePlan } from '../../core/topology/definition.js';
import { plural } from '../format.js';
import { fieldText, groupingText } from '../graph/describe.js';
import { type Fact, section } from './facts.js';
import { type Setting, tasksOf } from './setting.js';
import { dataSubject } from './subject.js';

export function explainEdge(edge: EdgePlan, setting: Setting): string {
  const source = setting.component(edge.source);
  const target = setting.component(edge.target);
  // `global` is for the first task; the others get nothing on this edge.
  const receivers = edge.grouping.kind === 'global' ? [target.firstTask] : tasksOf(target);
  const facts: Fact[] = [
    ['grouping', groupingSentence(edge, receivers.length)],
    ['tasks', tasksSentence(edge, source, receivers, setting)],
    ['tracked', trackedSentence(edge, source, setting.ackers)],
    ['subject', dataSubject(setting.plan.name, receivers)],
    ['order', orderSentence(edge, target, receivers.length)],
  ];
  if (edge.feedback)
    facts.push([
      'feedback',
      'closes a cycle: may run ahead of its credit, up to a limit beyond which emit throws; the cycle ends as one',
    ]);
  return section(`${edge.source}.${edge.stream.name} → ${edge.target}.${edge.input}`, facts);
}

function groupingSentence({ grouping }: EdgePlan, receivers: number): string {
  const name = groupingText(grouping);
  switch (grouping.kind) {
    case 'shuffle':
      return receivers === 1
        ? `${name}: there is one task`
        : `${name}: any task, by preference where the wait is shortest`;
    case 'fields':
      return `${name}: equal values of ${keysText(grouping.keys)} meet in the same task, in every process and every run`;
    case 'partialKey':
      return receivers === 1
        ? `${name}: there is one task`
        : `${name}: equal values of ${keysText(grouping.keys)} meet in one of two tasks, the one that a sender has used less`;
    case 'all':
      return `${name}: every task gets a copy, and the tree waits for all of them`;
    case 'global':
      return `${name}: everything goes to the first task`;
    case 'none':
      return `${name}: promises nothing, and deals as shuffle does`;
    case 'direct':
      return `${name}: the task that the emitter names in emitDirect`;
    case 'localOrShuffle':
      return `${name}: tasks in the same process where there are some, and any task where not`;
    case 'custom':
      return `${name}: a function chooses; if it looks at more than its arguments, a replay may go elsewhere`;
  }
}

function keysText(keys: readonly string[]): string {
  return keys.map(fieldText).join(' + ');
}

function tasksSentence(
  { grouping }: EdgePlan,
  source: ComponentPlan,
  receivers: readonly number[],
  { workers, workerOf }: Setting,
): string {
  const senders = tasksOf(source);
  const isLocal = (from: number, to: number) => workerOf(from) === workerOf(to);
  const pairs = senders.flatMap((from) => {
    const near = grouping.kind === 'localOrShuffle' ? receivers.filter((to) => isLocal(from, to)) : [];
    return (near.length > 0 ? near : receivers).map((to) => ({ from, to }));
  });
  const parts = [
    plural(senders.length, 'sender'),
    plural(receivers.length, 'receiver'),
    plural(pairs.length, 'channel'),
  ];
  const size = `${parts[0]} × ${parts[1]}: ${parts[2]}`;
  if (workers === 'task') return size;
  const local = pairs.filter(({ from, to }) => isLocal(from, to)).length;
  if (local === 0) return `${size}, each between two processes`;
  if (local === pairs.length) return `${size}, each within a process: nothing of it touches NATS`;
  return `${size}, ${local} of them within a process, without NATS`;
}

function trackedSentence({ feedback }: EdgePlan, { name, definition }: ComponentPlan, ackers: number): string {
  if (ackers === 0) {
    const cycle = feedback ? ', and what is untracked may not go round a cycle' : '; what is lost is not sent again';
    return `no: with --ackers 0 nothing is${cycle}`;
  }
  if (feedback) return 'always: what is untracked may not go round a cycle, so its emit throws';
  if (definition.kind === 'spout') {
    return `if '${name}' emits it with an id, as spoutFrom and fileSpout always do`;
  }
  return definition.ack === 'auto'
    ? `if the tuple that '${name}' is executing is; always, if it is from tick or end`
    : `as far as '${name}' anchors it to tuples that are, and not with anchors: []; from tick or end, without anchors too`;
}

function orderSentence(edge: EdgePlan, { name, definition, config }: ComponentPlan, receivers: number): string {
  const arrival = 'as emitted, from one task to another; replays come when they come';
  if (definition.kind === 'bolt' && config.concurrency > 1) {
    return `given up: '${name}' overlaps ${config.concurrency} executes; tuples arrive ${arrival}`;
  }
  if (edge.grouping.kind === 'fields' && receivers > 1) {
    return `${arrival}; so tuples of one sender with equal values of ${keysText(edge.grouping.keys)} keep their order`;
  }
  return arrival;
}
