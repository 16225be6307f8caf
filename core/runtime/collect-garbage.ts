/** Garbage collection on demand: under `debug`, so that tuples which a bolt has forgotten are found soon. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** After a collection there is none for so many times as long as it took: virtual hours would ask for thousands. */
const REST_FACTOR = 4;

/** Kept from the beginning: a test may replace the clock. */
const realNow = performance.now.bind(performance);

let collect: (() => void) | undefined;
let notBefore = 0;

export function collectGarbage(): void {
  const startedAt = realNow();
  if (startedAt < notBefore) return;
  if (collect === undefined) {
    // a context that is made after the flag was set has the function
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  const endedAt = realNow();
  notBefore = endedAt + (endedAt - startedAt) * REST_FACTOR;
}
