/**
 * Tuple trees the slow way: every edge of every attempt by name, no arithmetic. What the acker and the ledgers make of
 * XORs must come to the same.
 */
import assert from 'node:assert/strict';

interface Tree {
  /** tuples that are somewhere and neither acked nor failed, by name */
  readonly open: Set<string>;
  failed: boolean;
}

export class ReferenceTrees {
  /** by attempt: `a:5#2` is the second attempt of the spout a's tuple 5 */
  readonly #trees = new Map<string, Tree>();
  readonly #acked = new Set<string>();

  /** A spout tuple of this attempt was seen: it has these edges, whichever of them is seen first. */
  begun(attempt: string, edges: readonly string[]): void {
    if (!this.#trees.has(attempt)) this.#trees.set(attempt, { open: new Set(edges), failed: false });
  }

  emitted(attempts: readonly string[], edges: readonly string[]): void {
    for (const tree of this.#of(attempts)) for (const edge of edges) tree.open.add(edge);
  }

  acked(attempts: readonly string[], edge: string): void {
    for (const tree of this.#of(attempts)) assert.ok(tree.open.delete(edge), `${edge} was acked and is not open`);
  }

  failed(attempts: readonly string[], edge: string): void {
    this.acked(attempts, edge);
    for (const tree of this.#of(attempts)) tree.failed = true;
  }

  /** A spout was told that its tuple is complete. */
  complete(tuple: string): void {
    assert.ok(!this.#acked.has(tuple), `${tuple} was acked twice`);
    this.#acked.add(tuple);
    const trees = this.attemptsOf(tuple);
    assert.ok(
      trees.some(({ failed, open }) => !failed && open.size === 0),
      `${tuple} was acked, and no attempt of it is complete: ${trees.map(text).join(', ')}`,
    );
  }

  /** At the end of a run without losses: what failed, and only that, was attempted once more. */
  check(tuples: readonly string[]): { readonly attempts: number; readonly failed: number } {
    let attempts = 0;
    let failed = 0;
    for (const tuple of tuples) {
      assert.ok(this.#acked.has(tuple), `${tuple} was never acked`);
      const trees = this.attemptsOf(tuple);
      const last = trees.pop();
      assert.ok(
        last !== undefined && !last.failed && last.open.size === 0,
        `${tuple}: the last attempt is not complete`,
      );
      for (const tree of trees) assert.ok(tree.failed, `${tuple} was sent again, and nothing of it had failed`);
      attempts += trees.length + 1;
      failed += trees.length;
    }
    return { attempts, failed };
  }

  attemptsOf(tuple: string): Tree[] {
    const trees: Tree[] = [];
    for (let attempt = 1; ; attempt++) {
      const tree = this.#trees.get(`${tuple}#${attempt}`);
      if (tree === undefined) return trees;
      trees.push(tree);
    }
  }

  *#of(attempts: readonly string[]): Generator<Tree> {
    for (const attempt of attempts) {
      const tree = this.#trees.get(attempt);
      assert.ok(tree !== undefined, `attempt ${attempt} is not known`);
      yield tree;
    }
  }
}

function text({ open, failed }: Tree): string {
  return `${failed ? 'failed' : 'not failed'}, open ${[...open].join(' ') || 'none'}`;
}
