/** What the components of a run have emitted, in order. */
import { DEFAULT_STREAM } from '../topology/streams.js';

export interface Emission {
  readonly values: Readonly<Record<string, unknown>>;
  readonly stream: string;
  /** the task that emitted it */
  readonly task: number;
  /** of the tree that it belongs to: 1 at first, one more with each replay */
  readonly attempt: number;
}

export class Recorder {
  readonly #emissions = new Map<string, Emission[]>();

  constructor(components: readonly string[]) {
    for (const component of components) this.#emissions.set(component, []);
  }

  emitted(
    { component, task }: { readonly component: string; readonly task: number },
    stream = DEFAULT_STREAM,
    values: Readonly<Record<string, unknown>>,
    attempt: number,
  ): void {
    this.#emissions.get(component)?.push({ values, stream, task, attempt });
  }

  /** Undefined: there is no such component. */
  of(component: string): readonly Emission[] | undefined {
    return this.#emissions.get(component);
  }

  /** Values as they are now: their emitter may go on with them. */
  copy(values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    const kept: Record<string, unknown> = { ...values };
    for (const name in kept) if (typeof kept[name] === 'object') kept[name] = copyOf(kept[name]);
    return kept;
  }
}

function copyOf(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch {
    // it holds something that cannot be copied, such as a function
    return value;
  }
}
