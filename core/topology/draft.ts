/**
 * What a topology is between the builder and the plan: everything that the author handed in, unchecked and as it is.
 * The marks are registered symbols, so that what another copy of this package made is recognised.
 */
import type { GroupingSpec } from './definition.js';

export const TOPOLOGY: unique symbol = Symbol.for('squall.topology');
export const EDGE: unique symbol = Symbol.for('squall.edge');

/** A topology, as `topology(…)` begins one: what a topology file exports. */
export interface Topology {
  readonly [TOPOLOGY]: TopologyDraft;
}

export interface TopologyDraft {
  readonly name: unknown;
  readonly components: readonly ComponentDraft[];
  /** what `.feedback()` declared, in order */
  readonly feedback: readonly FeedbackDraft[];
  /** the arguments of `.config()`, in order */
  readonly config: readonly unknown[];
}

export interface ComponentDraft {
  readonly kind: 'spout' | 'bolt';
  readonly name: unknown;
  readonly component: unknown;
  /** of a bolt */
  readonly connection?: ConnectionDraft;
  readonly options: unknown;
}

/** Edges back into a bolt that was declared before what they come from. */
export interface FeedbackDraft {
  /** of the bolt */
  readonly name: unknown;
  readonly connection: ConnectionDraft;
}

/** What the bolt's `(from) => …` returned or threw, or what stands in its place. */
export type ConnectionDraft =
  | { readonly kind: 'returned'; readonly value: unknown }
  | { readonly kind: 'threw'; readonly value: unknown }
  | { readonly kind: 'no function'; readonly value: unknown };

export interface EdgeDraft {
  readonly kind: GroupingSpec['kind'];
  readonly source: unknown;
  /** of groupings by fields */
  readonly keys?: unknown;
  /** of a custom grouping */
  readonly choose?: unknown;
  readonly options: unknown;
}

export function edgeOf(value: unknown): EdgeDraft | undefined {
  return typeof value === 'object' && value !== null ? (value as { [EDGE]?: EdgeDraft })[EDGE] : undefined;
}

export function isTopology(value: unknown): value is Topology {
  return typeof value === 'object' && value !== null && TOPOLOGY in value;
}
