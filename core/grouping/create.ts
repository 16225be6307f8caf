import type { GroupingSpec } from '../topology/definition.js';
import { AllGrouping } from './all.js';
import { CustomGrouping } from './custom.js';
import { DirectGrouping } from './direct.js';
import { FieldsGrouping } from './fields.js';
import { GlobalGrouping } from './global.js';
import type { Grouping, TargetLoads } from './grouping.js';
import { localOrAll } from './local-or-shuffle.js';
import { PartialKeyGrouping } from './partial-key.js';
import { ShuffleGrouping } from './shuffle.js';

/** What a grouping may know of the task that it works for, and of the targets. */
export interface GroupingContext {
  /** the sending task and the edge, for errors */
  readonly where: string;
  /** spreads the first choice of several senders */
  readonly offset: number;
  /** is this target in the same process? */
  isLocal(index: number): boolean;
  /** left out: all targets are alike */
  readonly loads?: TargetLoads;
}

const ALL_ALIKE: TargetLoads = { load: () => 0, speed: () => 0 };

export function createGrouping(spec: GroupingSpec, targets: number, context: GroupingContext): Grouping {
  const { where, offset, loads = ALL_ALIKE } = context;
  switch (spec.kind) {
    case 'shuffle':
    // promises nothing: so it may as well be shuffle
    case 'none':
      return new ShuffleGrouping(
        localOrAll(targets, () => true),
        offset,
        loads,
      );
    case 'localOrShuffle':
      return new ShuffleGrouping(
        localOrAll(targets, (index) => context.isLocal(index)),
        offset,
        loads,
      );
    case 'fields':
      return new FieldsGrouping(targets, spec.keys);
    case 'partialKey':
      return new PartialKeyGrouping(targets, spec.keys);
    case 'all':
      return new AllGrouping(targets);
    case 'global':
      return new GlobalGrouping();
    case 'direct':
      return new DirectGrouping(targets);
    case 'custom':
      return new CustomGrouping(targets, spec.choose, where);
    default:
      throw new Error(`grouping ${(spec satisfies never as GroupingSpec).kind}`);
  }
}
