/** Things that become due at a time: a binary heap; equal times come out in the order they went in. */
export class DueQueue<T> {
  readonly #heap: { readonly item: T; readonly at: number; readonly order: number }[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** What `pop` would give, were it due; undefined when empty. */
  get first(): T | undefined {
    return this.#heap[0]?.item;
  }

  /** Infinity when empty */
  get firstAt(): number {
    return this.#heap.length === 0 ? Number.POSITIVE_INFINITY : this.#heap[0].at;
  }

  push(item: T, at: number): void {
    const heap = this.#heap;
    const node = { item, at, order: this.#order++ };
    let index = heap.length;
    heap.push(node);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(node, heap[parent])) break;
      heap[index] = heap[parent];
      index = parent;
    }
    heap[index] = node;
  }

  /** The first item due at `now` or earlier. */
  pop(now: number): T | undefined {
    const heap = this.#heap;
    if (heap.length === 0 || heap[0].at > now) return undefined;
    const top = heap[0].item;
    const last = heap.pop() as (typeof heap)[0];
    if (heap.length === 0) return top;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child += 1;
      if (!before(heap[child], last)) break;
      heap[index] = heap[child];
      index = child;
    }
    heap[index] = last;
    return top;
  }
}

function before(a: { at: number; order: number }, b: { at: number; order: number }): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
