/** What `import … from 'squall/testing'` gives. */
export { bomb } from './bomb.js';
export { captureBolt } from './capture-bolt.js';
export { checkSink } from './conformance/check-sink.js';
export { checkSource } from './conformance/check-source.js';
export { feeder } from './feeder.js';
export { runLocal, startLocal } from './local-run.js';

// Types: those that authors write, and those that their declaration files name.

export type { BombOptions, Chance } from './bomb.js';
export type { CaptureBolt, CapturedTuple } from './capture-bolt.js';
export type { CheckOptions } from './conformance/check-options.js';
export type { SinkCheckOptions, SinkReport, SinkRound, StoreOutage } from './conformance/check-sink.js';
export type { FilledSource, SourceCheckOptions, SourceReport, SourceRound } from './conformance/check-source.js';
export type { CheckPlace } from './conformance/place.js';
export type { SinkPromise } from './conformance/sink-verdict.js';
export type { SourcePromise } from './conformance/source-verdict.js';
export type { Kill } from './conformance/trial.js';
export type { Violation } from './conformance/violations.js';
export type { Feeder, FeederOptions } from './feeder.js';
export type { AnyComponents, EmittedValues, LocalResult, LocalStatus } from './local-result.js';
export type { ComponentsOf, GivenSpout, LocalOptions, LocalRun, SpoutsOf } from './local-run.js';
export type { Emission } from './recorder.js';
