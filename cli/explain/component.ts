/** What is true of one component. */
import type {
  BoltDefinition,
  ComponentPlan,
  RetryPolicyOptions,
  SpoutDefinition,
} from '../../core/topology/definition.js';
import { count, duration, plural } from '../format.js';
import { roleOf, taskNumbers, tasksText } from '../graph/describe.js';
import { type Fact, section } from './facts.js';
import { type Setting, tasksOf } from './setting.js';

export function explainComponent(component: ComponentPlan, setting: Setting): string {
  const { name, definition, tasks } = component;
  const numbers = `${tasks === 1 ? 'task' : `${tasksText(component)},`} ${taskNumbers(component)}`;
  const facts: Fact[] = [['processes', processesSentence(component, setting)]];
  if (definition.kind === 'spout') facts.push(...spoutFacts(definition, component, setting));
  else facts.push(...boltFacts(definition, component, setting));
  const unused = definition.streams.filter((stream) =>
    component.outputs.every((edge) => edge.stream.name !== stream.name),
  );
  if (unused.length > 0) {
    const names = unused.map((stream) => stream.name).join(', ');
    facts.push(['not taken', `${names}: what is emitted there goes nowhere`]);
  }
  return section(`${name} (${roleOf(component)}, ${numbers})`, facts);
}

function processesSentence(component: ComponentPlan, { workers, assignment, workerOf }: Setting): string {
  if (workers === 'task') return component.tasks === 1 ? 'one of its own' : `${component.tasks}, one for each task`;
  const hosts = [...new Set(tasksOf(component).map(workerOf))];
  const others = hosts.some((worker) =>
    assignment.workers[worker].tasks.some((task) => task.component !== component.name),
  );
  const size = `${hosts.length} of ${assignment.workers.length}`;
  return others ? `${size}, shared with other components: they die together` : size;
}

function spoutFacts(
  { replay }: SpoutDefinition,
  { config, tasks }: ComponentPlan,
  { ackers }: Setting,
): readonly Fact[] {
  const restart: Fact = [
    'restart',
    replay === 'squall'
      ? 'goes on from its position where it stores positions, and begins again where not (known at run time only)'
      : 'without a position: its source knows what it has to send again',
  ];
  if (ackers === 0) return [['tracking', 'none: ack(id) is called after emit, and nothing is replayed'], restart];
  const pending = `${count(config.maxSpoutPending)} tracked tuples${tasks > 1 ? ' for each task' : ''}, then next waits`;
  return [
    ['pending', pending],
    ['time-out', `a tuple that nobody has held for ${duration(config.messageTimeoutMs)} has timed out`],
    replay === 'squall'
      ? ['replay', `by Squall, which keeps each tuple until its tree is complete: ${retrySentence(config.retry)}`]
      : [
          'replay',
          "by its source (replay: 'source'): what fails or is lost goes to fail(id) at once, and is forgotten here",
        ],
    restart,
  ];
}

function boltFacts(
  { ack, keepsState }: BoltDefinition,
  { config: { concurrency, executeTimeoutMs, tickEveryMs, retry } }: ComponentPlan,
  { ackers }: Setting,
): readonly Fact[] {
  const facts: Fact[] = [];
  if (ackers > 0) {
    facts.push([
      'ack',
      ack === 'auto'
        ? 'auto: acked when execute has returned or resolved, failed when it throws or rejects'
        : 'manual: acked or failed by its code; held for as long as that keeps it, failed where that has dropped it',
    ]);
  }
  facts.push([
    'state',
    keepsState
      ? 'in memory, and dies with its process: the run warns then, and ends as incomplete if it has an end(out)'
      : 'none that it declares: without prepare, or with keepsState: false',
  ]);
  if (concurrency > 1) facts.push(['executes', `up to ${concurrency} of a task overlap: order is given up`]);
  const fails = ackers > 0 ? 'its tuple fails' : 'it is given up';
  facts.push([
    'time-out',
    `an async execute that lasts longer than ${duration(executeTimeoutMs)}: ${fails}; a blocked process is killed`,
  ]);
  if (tickEveryMs !== undefined) {
    const trees =
      ackers > 0
        ? `what it emits starts trees in its task's own ledger, replayed while its process lives: ${retrySentence(retry)}`
        : 'what it emits is not tracked';
    facts.push(['tick', `every ${duration(tickEveryMs)}; ${trees}`]);
  }
  return facts;
}

function retrySentence({ attempts, backoff }: RetryPolicyOptions): string {
  const most =
    attempts === Number.POSITIVE_INFINITY ? 'any number of attempts' : `up to ${plural(attempts, 'attempt')}`;
  if (attempts === 1) return `${most}, then a dead letter; a lost process or link uses none`;
  const wait =
    backoff.firstMs === 0 ? 'the second at once, then' : `the second after ${duration(backoff.firstMs)}, then`;
  const end = attempts === Number.POSITIVE_INFINITY ? '' : ', then a dead letter';
  return `${most}, ${wait} with waits that double up to ${duration(backoff.maxMs)}${end}; a lost process or link uses none`;
}
