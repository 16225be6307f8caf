/** The builder, for components whose types are known only when they are loaded. */
import type { BoltComponent, SpoutComponent } from '../../topology/component.js';
import type { Topology } from '../../topology/draft.js';

interface LooseFrom {
  shuffle(source: string, options?: { readonly stream?: string }): unknown;
}

export interface LooseBuilder extends Topology {
  spout(name: string, spout: SpoutComponent, options?: { readonly tasks?: number }): LooseBuilder;
  bolt(
    name: string,
    bolt: BoltComponent,
    inputs: (from: LooseFrom) => unknown,
    options?: { readonly tasks?: number },
  ): LooseBuilder;
  config(options: { readonly maxSpoutPending?: number }): LooseBuilder;
}
