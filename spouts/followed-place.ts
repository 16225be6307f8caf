/** Where a followed file has been read up to, and by what it is known again when its name has changed. */
import { createHash } from 'node:crypto';
import { SquallError, shown } from '../core/errors.js';
import type { Position } from '../core/topology/definition.js';

/**
 * So much of a file's beginning is compared: the first lines of a log have their times, so two logs differ in it; and it
 * is one page read.
 */
export const HEAD_LIMIT_BYTES = 1024;

/** Behind a line of one incarnation of a followed file. */
export type FollowedPlace = {
  /** number of the incarnation, from 0: one more with each rotation or truncation */
  readonly generation: number;
  /** number of the file in its file system, and, where that tells, when it was made: numbers are given out again */
  readonly inode: string;
  readonly offset: number;
  readonly line: number;
  /** of the file's first bytes, at most up to `offset` */
  readonly headBytes: number;
  readonly headHash: string;
};

/** By the name that is followed. */
export type FollowedPlaces = Readonly<Record<string, FollowedPlace>>;

export function headHash(head: Uint8Array): string {
  return createHash('sha256').update(head).digest('hex').slice(0, 16);
}

/** The places in a stored position. Throws ERR_SQUALL_POSITION. */
export function placesIn(position: Position | undefined, component: string): FollowedPlaces {
  if (position === undefined) return {};
  const { follow } = (typeof position === 'object' && position !== null ? position : {}) as { follow?: unknown };
  if (typeof follow === 'object' && follow !== null && Object.values(follow).every(isPlace))
    return follow as FollowedPlaces;
  throw new SquallError(
    'ERR_SQUALL_POSITION',
    `'${component}' expected a position of fileSpout with follow, found ${shown(position)}; if its source was ` +
      'exchanged, begin anew with --fresh',
    { facts: { position } },
  );
}

function isPlace(found: unknown): found is FollowedPlace {
  const { inode, headHash: hash, ...numbers } = (found ?? {}) as Partial<Record<string, unknown>>;
  return (
    typeof inode === 'string' &&
    typeof hash === 'string' &&
    ['generation', 'offset', 'line', 'headBytes'].every((name) => Number.isSafeInteger(numbers[name]))
  );
}
