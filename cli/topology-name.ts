import { SquallError } from '../core/errors.js';
import { checkName } from '../core/topology/names.js';

/** A topology's name as an argument: it becomes part of subjects and of paths. Throws ERR_SQUALL_USAGE. */
export function checkTopology(topology: string): void {
  checkName(topology, (mistake) => {
    const hint = /[./\\]/.test(topology) ? '; give the name that its file gives to topology(…), not the file' : '';
    throw new SquallError('ERR_SQUALL_USAGE', `topology: ${mistake}${hint}`);
  });
}
