/** Which guarantee the topology as a whole gives, and what limits it. */
import type { ComponentPlan } from '../../core/topology/definition.js';
import { roleOf } from '../graph/describe.js';
import { inFlowOrder } from '../graph/order.js';
import { TEXT_COLUMNS, wrap } from '../graph/wrap.js';
import { quotedList } from './facts.js';
import type { Setting } from './setting.js';

/** One thing that keeps the guarantee from being stronger. */
interface Limit {
  /** the guarantee of the whole, where this is the most severe; undefined for what never is */
  readonly verdict?: string;
  readonly why: string;
  readonly remedy: string;
}

/** The verdict of the most severe limit, then all of them, in order of severity. */
export function explainWeakestLink(setting: Setting): string {
  const limits = limitsOf(setting);
  return [
    'Weakest link',
    ...wrap('  ', limits[0].verdict ?? ''),
    ...limits.flatMap(({ why, remedy }, at) => {
      const number = `  ${at + 1}. `;
      return ['', ...wrap(number, why), ...wrap(`${' '.repeat(number.length)}→ `, remedy, TEXT_COLUMNS)];
    }),
  ].join('\n');
}

/** The most severe first. It has a verdict: there is a spout, and either Squall replays its tuples or its source does. */
function limitsOf({ plan, ackers }: Setting): readonly Limit[] {
  const components = inFlowOrder(plan);
  const tracked = ackers > 0;
  return [
    ...(tracked ? [] : [nothingTracked()]),
    ...limitOf(components, keepsState, (names) => stateInMemory(names, tracked)),
    ...(tracked ? limitOf(components, sourceReplays, ownReplays) : []),
    ...(tracked ? limitOf(components, choosesAnchors, ownAnchors) : []),
    ...limitOf(components, isReplayed, (names) => spoutsSay(names, quotedList(sinkNames(components)), tracked)),
    ...(tracked ? limitOf(components, ticks, ticksDie) : []),
    ...(tracked ? limitOf(components, isBolt, () => repeats(sinkNames(components))) : []),
  ];
}

function limitOf(
  components: readonly ComponentPlan[],
  applies: (component: ComponentPlan) => boolean,
  limit: (names: readonly string[]) => Limit,
): readonly Limit[] {
  const names = components.filter(applies).map(({ name }) => name);
  return names.length === 0 ? [] : [limit(names)];
}

const isReplayed = ({ definition }: ComponentPlan) => definition.kind === 'spout' && definition.replay === 'squall';
const isBolt = ({ definition }: ComponentPlan) => definition.kind === 'bolt';
const keepsState = ({ definition }: ComponentPlan) => definition.kind === 'bolt' && definition.keepsState;
const ticks = ({ config }: ComponentPlan) => config.tickEveryMs !== undefined;
const sourceReplays = ({ definition }: ComponentPlan) => definition.kind === 'spout' && definition.replay === 'source';
/** One that emits nothing cannot leave anchors out. */
const choosesAnchors = ({ definition, outputs }: ComponentPlan) =>
  definition.kind === 'bolt' && definition.ack === 'manual' && outputs.length > 0;

function sinkNames(components: readonly ComponentPlan[]): readonly string[] {
  return components.filter((component) => roleOf(component) === 'sink').map(({ name }) => name);
}

function nothingTracked(): Limit {
  return {
    verdict: 'Best effort: with --ackers 0 nothing is tracked, and what is lost on any edge is not sent again.',
    why: 'No tuple is tracked: each is sent once, and its spout hears ack after emit, whatever becomes of it.',
    remedy: 'run with --ackers 1 or more',
  };
}

function stateInMemory(names: readonly string[], tracked: boolean): Limit {
  const list = quotedList(names);
  const one = names.length === 1;
  const keep = one ? 'keeps' : 'keep';
  const death = one ? 'what it keeps dies with its process' : 'what they keep dies with their processes';
  const twice = tracked ? ', and a tuple that is replayed may count twice in it' : '';
  const hold = tracked ? " or hold the tuples (ack: 'manual') until it is stored;" : '';
  return {
    verdict:
      `At least once up to the memory of ${list}, and no further: ${death}, ` +
      'and tuples that were acked by then are not replayed.',
    why: `${list} ${keep} state in memory: a death loses it${twice}.`,
    remedy:
      `keep it outside, under keys that make a repeat harmless;${hold} ` +
      'or say keepsState: false where nothing in it matters',
  };
}

function ownReplays(names: readonly string[]): Limit {
  const list = quotedList(names);
  return {
    verdict: `At least once as far as ${list} can emit again what has failed: with replay: 'source' Squall does not.`,
    why:
      `${list}: replay: 'source' leaves it to the source to send again what failed, timed out or was lost; ` +
      'of a tuple without an id it hears nothing.',
    remedy: 'see that fail(id) does so, and that a new process begins with what was pending; or leave replay out',
  };
}

function ownAnchors(names: readonly string[]): Limit {
  const list = quotedList(names);
  const [anchors, chooses] =
    names.length === 1 ? ['anchors what it emits', 'chooses its'] : ['anchor what they emit', 'choose their'];
  return {
    verdict: `At least once as far as ${list} ${anchors}: an emit with anchors: [] is tracked by nobody.`,
    why: `${list} ${chooses} own anchors (ack: 'manual'): what is emitted without is sent once, and is not replayed.`,
    remedy: 'anchor it to every tuple that it depends on, and ack these after the emit',
  };
}

function spoutsSay(names: readonly string[], sinks: string, tracked: boolean): Limit {
  const list = quotedList(names);
  const emits = names.length === 1 ? 'emits' : 'emit';
  const end = sinks === '' ? '' : `; ${sinks} may execute what came of it more than once`;
  const ids = tracked ? 'a tuple without an id is not tracked, and ' : '';
  return {
    verdict: `At least once for each tuple that ${list} ${emits} with an id: in the end it is complete, or a dead letter${end}.`,
    why: `${list}: ${ids}a spout that stores no positions begins again when its process dies.`,
    remedy: tracked
      ? 'emit with an id and a position; the result counts the others as untracked, and warns of the restart'
      : 'emit with a position; the result warns of such a restart',
  };
}

function ticksDie(names: readonly string[]): Limit {
  const list = quotedList(names);
  return {
    why: `${list}: what a tick has emitted is replayed while the process lives; when it dies, what was pending is not.`,
    remedy: 'let the next tick emit it again, from what is stored outside',
  };
}

function repeats(sinks: readonly string[]): Limit {
  const list = sinks.length === 0 ? '' : ` ${quotedList(sinks)} ${sinks.length === 1 ? 'is' : 'are'} where it shows.`;
  return {
    why:
      'At least once is not exactly once: a replay runs the tree again from its spout, ' +
      `and every bolt on the way may repeat its effects.${list}`,
    remedy: 'make effects idempotent: write with a key of the data, or with tuple.id',
  };
}
