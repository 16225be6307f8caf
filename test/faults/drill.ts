/** What the drills of `npm run test:faults` share. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import type { Workspace } from '../support/e2e.js';
import type { Checks } from '../support/e2e-checks.js';
import { peakBytesOf } from '../support/e2e-processes.js';
import type { Sample } from './recovery.js';

/** A row of the table: cells by the names of their columns. */
export type Row = Readonly<Record<string, string>>;

/** What a drill tries, again in each round. Throws where a promise is broken. */
export interface Drill {
  readonly name: string;
  run(scope: DrillScope): Promise<Row>;
}

/** AVA's assertions, of which the first that fails ends the drill; and what is to be done at the end. */
export class DrillScope implements Checks {
  readonly #ends: (() => unknown)[] = [];

  is(actual: unknown, expected: unknown, message = 'a value'): void {
    this.true(Object.is(actual, expected), `${message}: expected ${String(expected)}, found ${String(actual)}`);
  }
  deepEqual(actual: unknown, expected: unknown, message = 'a value'): void {
    const same = isDeepStrictEqual(actual, expected);
    this.true(same, `${message}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(actual)}`);
  }
  true(holds: boolean, message: string): void {
    if (!holds) throw new Error(message);
  }
  teardown(end: () => unknown): void {
    this.#ends.push(end);
  }
  async close(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }
}

export const NUMBERS = fileURLToPath(new URL('./numbers.js', import.meta.url));

/** What the spout's incarnations have written down. */
export function progressIn(place: Workspace): Sample[][] {
  const incarnations: Sample[][] = [];
  for (let epoch = 1; ; epoch++) {
    const file = `${place.path('progress')}.${epoch}`;
    if (!existsSync(file)) return incarnations;
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    incarnations.push(
      lines.map((line) => {
        const [at, completed] = line.split(' ').map(Number);
        return { at, completed };
      }),
    );
  }
}

/** Every process of the workspace is measured while it lives; the most that one of them ever had, with its title. */
export function watchMemory(place: Workspace): { stop(): { readonly title: string; readonly bytes: number } } {
  let most = { title: '', bytes: 0 };
  const look = () => {
    for (const { pid, command } of place.processes()) {
      const bytes = peakBytesOf(pid) ?? 0;
      if (bytes > most.bytes) most = { title: command, bytes };
    }
  };
  const timer = setInterval(look, 200);
  return {
    stop() {
      clearInterval(timer);
      return most;
    },
  };
}

export function replaysText(replays: Readonly<Record<string, number>>): string {
  const told = Object.entries(replays).filter(([, count]) => count > 0);
  return told.map(([reason, count]) => `${reason} ${count}`).join(', ') || 'none';
}

export const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
export const whole = (value: number) => Math.round(value).toLocaleString('en-US');
