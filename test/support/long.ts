/** `npm run test:long` runs the same tests on more: tuples, processes, rounds of the properties. */
export const LONG = process.env.SQUALL_TEST_LONG === '1';

/** A size for `npm test`, and one for the long form. */
export function sized<T>(short: T, long: T): T {
  return LONG ? long : short;
}
