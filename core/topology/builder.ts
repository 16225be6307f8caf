/** `topology(name)`: joins spouts and bolts into a topology. */
import type { BoltComponent, SpoutComponent } from './component.js';
import type { ConfigOptions } from './config.js';
import { type ComponentDraft, type ConnectionDraft, TOPOLOGY, type Topology, type TopologyDraft } from './draft.js';
import { type Accepted, type From, from } from './from.js';
import type { StreamValues } from './streams.js';

export interface ComponentOptions {
  /** how many tasks, each a process by default; 1 … 1024, default 1 */
  readonly tasks?: number;
}

/** `N`, or why it cannot name another component. */
export type NewName<C, N extends string> = N extends keyof C ? `✗ component "${N}" is declared twice` : N;

/**
 * A topology that is being declared; each step returns a new one, so that a common beginning can be shared. `C` collects
 * the streams of its components. Nothing is checked here at run time: `planOf` reports all mistakes at once.
 */
export class TopologyBuilder<C> implements Topology {
  readonly [TOPOLOGY]: TopologyDraft;

  constructor(draft: TopologyDraft) {
    this[TOPOLOGY] = Object.freeze(draft);
    Object.freeze(this);
  }

  spout<N extends string, S extends StreamValues>(
    name: NewName<C, N>,
    spout: SpoutComponent<S>,
    options?: ComponentOptions,
  ): TopologyBuilder<C & { readonly [K in N]: S }> {
    return this.#with({ kind: 'spout', name, component: spout, options });
  }

  /** `connect` says which stream the bolt takes: `(from) => from.shuffle('lines')`. */
  bolt<N extends string, I, S extends StreamValues, E>(
    name: NewName<C, N>,
    bolt: BoltComponent<I, S>,
    connect: (from: From<C>) => Accepted<N, I, E>,
    options?: ComponentOptions,
  ): TopologyBuilder<C & { readonly [K in N]: S }> {
    return this.#with({ kind: 'bolt', name, component: bolt, connection: connected(connect), options });
  }

  /** May be called again: a later setting replaces an earlier one. */
  config(config: ConfigOptions): TopologyBuilder<C> {
    const draft = this[TOPOLOGY];
    return new TopologyBuilder({ ...draft, config: Object.freeze([...draft.config, config]) });
  }

  #with<D>(component: ComponentDraft): TopologyBuilder<D> {
    const draft = this[TOPOLOGY];
    return new TopologyBuilder({
      ...draft,
      components: Object.freeze([...draft.components, Object.freeze(component)]),
    });
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
export function topology(name: string): TopologyBuilder<Record<never, never>> {
  return new TopologyBuilder({ name, components: Object.freeze([]), config: Object.freeze([]) });
}
