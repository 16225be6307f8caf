import type { GroupingSpec } from '../topology/definition.js';
import { AllGrouping } from './all.js';
import { FieldsGrouping } from './fields.js';
import { GlobalGrouping } from './global.js';
import type { Grouping } from './grouping.js';
import { ShuffleGrouping } from './shuffle.js';

/** What a grouping may know of the task that it works for, and of the targets. */
export interface GroupingContext {
  /** spreads the first choice of several senders */
  readonly offset: number;
  /** is this target in the same process? */
  isLocal(index: number): boolean;
}

export function createGrouping(spec: GroupingSpec, targets: number, context: GroupingContext): Grouping {
  switch (spec.kind) {
    case 'shuffle':
      return new ShuffleGrouping(targets, context.offset);
    case 'fields':
      return new FieldsGrouping(targets, spec.keys);
    case 'all':
      return new AllGrouping(targets);
    case 'global':
      return new GlobalGrouping();
    default:
      throw new Error(`grouping ${spec.kind}`);
  }
}
