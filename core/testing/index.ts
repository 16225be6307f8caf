/** What `import … from 'squall/testing'` gives. */
export { bomb } from './bomb.js';
export { captureBolt } from './capture-bolt.js';
export { feeder } from './feeder.js';
export { runLocal, startLocal } from './local-run.js';

// Types: those that authors write, and those that their declaration files name.

export type { BombOptions, Chance } from './bomb.js';
export type { CaptureBolt, CapturedTuple } from './capture-bolt.js';
export type { Feeder, FeederOptions } from './feeder.js';
export type { AnyComponents, EmittedValues, LocalResult, LocalStatus } from './local-result.js';
export type { ComponentsOf, GivenSpout, LocalOptions, LocalRun, SpoutsOf } from './local-run.js';
export type { Emission } from './recorder.js';
