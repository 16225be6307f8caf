/** The settings of one component: the topology's, its definition's, and those it was added with. */
import { isComponent } from './component.js';
import { type ConfigOptions, SETTINGS } from './config.js';
import type { BoltDefinition, ComponentConfig, SpoutDefinition, TopologyConfig } from './definition.js';
import type { ComponentDraft } from './draft.js';
import { checkInteger, checkOptions, isRecord, MAX_TIMER_MS, type Report } from './options.js';
import { completeRetry, DEFAULT_RETRY, type RetryOptions } from './retry.js';

/** What a spout may have of its own. What is left out is as its definition or the topology says. */
export interface SpoutConfigOptions extends ConfigOptions {
  /** for a bolt: of what its `tick` and `end` emit */
  readonly retry?: RetryOptions;
}

/** What a bolt may have of its own. */
export interface BoltConfigOptions extends SpoutConfigOptions {
  readonly tickEveryMs?: number;
  readonly executeTimeoutMs?: number;
  readonly concurrency?: number;
}

/** How a component is added to a topology. */
export interface ComponentOptions<Config = BoltConfigOptions> {
  /** how many tasks, each a process by default; 1 … 1024, default 1 */
  readonly tasks?: number;
  /** replaces settings of its definition and of the topology, for this component */
  readonly config?: Config;
}

export const TIMER = { min: 1, max: MAX_TIMER_MS };
/** More would be a queue of its own, without a bound that anyone sees. */
export const CONCURRENCY = { min: 1, max: 1024 };

const SPOUT_SETTINGS = [...Object.keys(SETTINGS), 'retry'];
const BOLT_SETTINGS = [...SPOUT_SETTINGS, 'tickEveryMs', 'executeTimeoutMs', 'concurrency'];

/** `.config()` < the definition < the component's own `config`, checked. */
export function completeComponentConfig(
  { kind, component, options }: ComponentDraft,
  topology: TopologyConfig,
  report: Report,
): ComponentConfig {
  const given = isRecord(options) ? options.config : undefined;
  const own = checkOptions(given, kind === 'bolt' ? BOLT_SETTINGS : SPOUT_SETTINGS, 'config', report);
  const definition: SpoutDefinition | BoltDefinition | undefined = isComponent(component) ? component : undefined;
  const bolt = definition?.kind === 'bolt' ? definition : undefined;
  const spout = definition?.kind === 'spout' ? definition : undefined;
  const shared = (name: keyof TopologyConfig) =>
    checkInteger(own[name], SETTINGS[name], topology[name], `config.${name}`, report);
  const ofBolt = <F>(name: keyof BoltConfigOptions, range: typeof TIMER, fallback: F) =>
    kind === 'bolt' ? checkInteger(own[name], range, fallback, `config.${name}`, report) : fallback;
  if (own.retry !== undefined && spout?.replay === 'source')
    report("config.retry: the spout has replay: 'source', where the source decides what is sent again; remove it");
  const messageTimeoutMs = shared('messageTimeoutMs');
  const byDefault = Math.min(messageTimeoutMs * 10, MAX_TIMER_MS);
  return Object.freeze({
    maxSpoutPending: shared('maxSpoutPending'),
    messageTimeoutMs,
    lingerMs: shared('lingerMs'),
    tickEveryMs: ofBolt('tickEveryMs', TIMER, bolt?.tickEveryMs),
    executeTimeoutMs: ofBolt('executeTimeoutMs', TIMER, bolt?.executeTimeoutMs ?? byDefault),
    concurrency: ofBolt('concurrency', CONCURRENCY, bolt?.concurrency ?? 1),
    retry: completeRetry(own.retry, report, spout?.retry ?? DEFAULT_RETRY, 'config.retry'),
  });
}
