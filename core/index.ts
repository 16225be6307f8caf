/** What `import … from 'squall'` gives. */
export { Run, run } from './cluster/run.js';
export { SquallError } from './errors.js';
export { defineBolt } from './topology/bolt.js';
export { topology } from './topology/builder.js';
export { direct } from './topology/direct.js';
export { t } from './topology/fields.js';
export { withParameters } from './topology/parameters.js';
export { defineSpout } from './topology/spout.js';
export { spoutFrom } from './topology/spout-from.js';

// Types: those that authors write, and those that their declaration files name.

export type {
  Balance,
  BoltResult,
  MetricsResult,
  RunEvents,
  RunOptions,
  RunResult,
  RunSnapshot,
  RunStatus,
  SpoutResult,
} from './cluster/run-types.js';
export type { Accepted, AcceptedBack } from './topology/accepted.js';
export type { BoltHooks, BoltOptions, BoltSettings } from './topology/bolt.js';
export type { BoltName, NewName, TopologyBuilder } from './topology/builder.js';
export type { BoltComponent, SpoutComponent } from './topology/component.js';
export type { BoltConfigOptions, ComponentOptions, SpoutConfigOptions } from './topology/component-config.js';
export type { ConfigOptions } from './topology/config.js';
export type {
  ChooseTasks,
  ComponentConfig,
  Counter,
  Failure,
  Gauge,
  Histogram,
  Logger,
  MessageId,
  MetricRegistry,
  NextResult,
  Position,
  ReplayReason,
  TaskContext,
  TopologyConfig,
  Tuple,
} from './topology/definition.js';
export type { Direct } from './topology/direct.js';
export type { Topology } from './topology/draft.js';
export type { BoltEmitter, EmitterOf, ManualBoltEmitter, SpoutEmitter } from './topology/emitters.js';
export type {
  FieldKind,
  Fields,
  FieldType,
  FieldTypeLike,
  StandardSchema,
  ValueOf,
  Values,
} from './topology/fields.js';
export type { Components, Edge, From } from './topology/from.js';
export type { InputOf, NamedInputs, TupleOf } from './topology/inputs.js';
export type { StringParameters, TopologyParameters } from './topology/parameters.js';
export type { RetryOptions } from './topology/retry.js';
export type { SpoutHooks, SpoutOptions } from './topology/spout.js';
export type { Generate, SpoutFromOptions } from './topology/spout-from.js';
export type { NoStreams, StreamFields, StreamsOf, StreamValues } from './topology/streams.js';
