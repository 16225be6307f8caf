/** `topology(name)`: joins spouts and bolts into a topology. */
import type { Accepted, AcceptedBack } from './accepted.js';
import type { BoltComponent, SpoutComponent } from './component.js';
import type { BoltConfigOptions, ComponentOptions, SpoutConfigOptions } from './component-config.js';
import type { ConfigOptions } from './config.js';
import { type ConnectionDraft, TOPOLOGY, type Topology, type TopologyDraft } from './draft.js';
import { type From, from } from './from.js';
import type { StreamValues } from './streams.js';

/** `N`, or why it cannot name another component. */
export type NewName<C, N extends string> = N extends keyof C ? `✗ component "${N}" is declared twice` : N;

/** `N`, or why it is no bolt that can take an edge back. */
export type BoltName<C, B, N extends string> = N extends keyof B
  ? N
  : N extends keyof C
    ? `✗ component "${N}" is a spout, which takes nothing`
    : `✗ there is no bolt "${N}" before this` | (keyof B & string);

type Inputs<B, N> = N extends keyof B ? B[N] : never;

/**
 * A topology that is being declared; each step returns a new one, so that a common beginning can be shared. `C` collects
 * the streams of its components, `B` what its bolts take (left out in an annotation: whatever it is). Nothing is checked
 * here at run time: `planOf` reports all mistakes at once.
 */
// biome-ignore lint/suspicious/noExplicitAny: `B` is for the builder itself, authors who name the type need `C` only
export class TopologyBuilder<C, B = any> implements Topology {
  readonly [TOPOLOGY]: TopologyDraft;

  constructor(draft: TopologyDraft) {
    this[TOPOLOGY] = Object.freeze(draft);
    Object.freeze(this);
  }

  spout<N extends string, S extends StreamValues>(
    name: NewName<C, N>,
    spout: SpoutComponent<S>,
    options?: ComponentOptions<SpoutConfigOptions>,
  ): TopologyBuilder<C & { readonly [K in N]: S }, B> {
    return this.#with('components', Object.freeze({ kind: 'spout', name, component: spout, options }));
  }

  /**
   * `connect` says what the bolt takes: `(from) => from.shuffle('lines')`; an array where it takes several streams; for a
   * bolt with named inputs a record, `(from) => ({ orders: from.shuffle('orders'), payments: … })`.
   */
  bolt<N extends string, I, S extends StreamValues, E>(
    name: NewName<C, N>,
    bolt: BoltComponent<I, S>,
    connect: (from: From<C>) => Accepted<N, I, E>,
    options?: ComponentOptions<BoltConfigOptions>,
  ): TopologyBuilder<C & { readonly [K in N]: S }, B & { readonly [K in N]: I }> {
    const connection = connected(connect);
    return this.#with('components', Object.freeze({ kind: 'bolt', name, component: bolt, connection, options }));
  }

  /**
   * Edges back into the bolt `name`, from components declared after it (or from itself): they close a cycle. Of named
   * inputs only those that take something back need be there.
   */
  feedback<N extends string, E>(
    name: BoltName<C, B, N>,
    connect: (from: From<C>) => AcceptedBack<N, Inputs<B, N>, E>,
  ): TopologyBuilder<C, B> {
    return this.#with('feedback', Object.freeze({ name, connection: connected(connect) }));
  }

  /** May be called again: a later setting replaces an earlier one. */
  config(config: ConfigOptions): TopologyBuilder<C, B> {
    return this.#with('config', config);
  }

  #with<K extends 'components' | 'feedback' | 'config', D, E>(
    list: K,
    one: TopologyDraft[K][number],
  ): TopologyBuilder<D, E> {
    const draft = this[TOPOLOGY];
    return new TopologyBuilder({ ...draft, [list]: Object.freeze([...draft[list], one]) });
  }
}

/** A mistake within the function is one of many: it waits for the report. */
function connected(connect: unknown): ConnectionDraft {
  if (typeof connect !== 'function') return { kind: 'no function', value: connect };
  try {
    return { kind: 'returned', value: connect(from) };
  } catch (error) {
    return { kind: 'threw', value: error };
  }
}

/** Begins a topology. `name` is 1 to 64 characters from A-Z a-z 0-9 _ -, not beginning with _. */
export function topology(name: string): TopologyBuilder<Record<never, never>, Record<never, never>> {
  const none = Object.freeze([]);
  return new TopologyBuilder({ name, components: none, feedback: none, config: none });
}
