import { SquallError } from '../errors.js';
import { nearest } from '../topology/names.js';

export const BOLT_EMIT_OPTIONS = ['stream', 'anchors'] as const;
export const SPOUT_EMIT_OPTIONS = ['stream', 'id', 'position'] as const;

/** Under --debug: an option that is not there does nothing in silence; `Id` for `id` would make a tuple untracked. */
export function checkEmitOptions(options: object | undefined, known: readonly string[], where: string): void {
  for (const key of Object.keys(options ?? {})) {
    if (known.includes(key)) continue;
    throw new SquallError(
      'ERR_SQUALL_EMIT',
      `${where}: emit has no option "${key}"${nearest(key, known)}; it has ${known.join(', ')}`,
      { facts: { option: key } },
    );
  }
}
