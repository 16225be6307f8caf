import type { GroupingSpec } from '../topology/definition.js';
import { AllGrouping } from './all.js';
import { FieldsGrouping } from './fields.js';
import { GlobalGrouping } from './global.js';
import type { Grouping } from './grouping.js';
import { ShuffleGrouping } from './shuffle.js';

/** `offset` spreads the first choice of several senders. */
export function createGrouping(spec: GroupingSpec, targets: number, offset: number): Grouping {
  switch (spec.kind) {
    case 'shuffle':
      return new ShuffleGrouping(targets, offset);
    case 'fields':
      return new FieldsGrouping(targets, spec.keys);
    case 'all':
      return new AllGrouping();
    case 'global':
      return new GlobalGrouping();
  }
}
