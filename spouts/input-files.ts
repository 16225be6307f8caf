import { readdir } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, parse, resolve, sep } from 'node:path';
import { escapePath, glob, isDynamicPattern } from 'tinyglobby';
import { SquallError } from '../core/errors.js';

/**
 * The files that paths and patterns mean, sorted by name (by UTF-16 code units: the same everywhere). Names are relative
 * to `directory` where they lie in it, absolute elsewhere; a file that links lead to by several names has the first.
 *
 * A path that exists is that file, whatever characters its name has; anything else is a pattern; `!pattern` takes away
 * from what the patterns found. Errors: ERR_SQUALL_NO_INPUT for a path that is not there or is no regular file, or when
 * nothing is left; ERR_SQUALL_FILE for a folder that cannot be read.
 */
export async function inputFiles(path: string | readonly string[], directory: string): Promise<string[]> {
  const found = new Set<string>();
  const patterns: string[] = [];
  for (const one of typeof path === 'string' ? [path] : path) {
    const kind = await kindOf(resolve(directory, one));
    if (kind === 'file') found.add(resolve(directory, one));
    else if (kind === 'missing' && isDynamicPattern(one)) patterns.push(one);
    else throw noInput(one, directory, kind);
  }
  for (const file of await globbed(patterns, directory)) found.add(resolve(file));
  if (found.size === 0) throw noInput(path, directory, 'missing');

  const inside = directory.endsWith(sep) ? directory : directory + sep;
  const names = [...found].map((file) => (file.startsWith(inside) ? file.slice(inside.length) : file)).sort();
  const byRealPath = new Map<string, string>();
  for (const name of names) {
    const file = resolve(directory, name);
    const real = await realpath(file).catch((cause: unknown) => Promise.reject(unreadable(file, cause)));
    if (!byRealPath.has(real)) byRealPath.set(real, name);
  }
  return [...byRealPath.values()];
}

type Kind = 'file' | 'folder' | 'other' | 'missing';

async function kindOf(path: string): Promise<Kind> {
  try {
    const stats = await stat(path);
    return stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other';
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EINVAL' || code === 'ENAMETOOLONG') return 'missing';
    throw unreadable(path, cause);
  }
}

/** tinyglobby passes over folders that it cannot read: here they are an error. */
async function globbed(patterns: readonly string[], directory: string): Promise<string[]> {
  if (patterns.length === 0) return [];
  let failure: SquallError | undefined;
  const watched = (path: string, options: { withFileTypes: true }, done: (...answer: unknown[]) => void) =>
    readdir(path, options, (error, entries) => {
      // a folder that is not there (any more) has no files
      if (error && error.code !== 'ENOENT') failure ??= unreadable(resolve(path), error);
      done(error, entries);
    });
  // From the root: tinyglobby's `../*` does not match the folder that it starts in.
  const fromRoot = patterns.map((pattern) => rooted(pattern, directory));
  const files = await glob(fromRoot, {
    cwd: parse(directory).root,
    absolute: true,
    expandDirectories: false,
    fs: { readdir: watched as typeof readdir },
  });
  if (failure !== undefined) throw failure;
  return files;
}

function rooted(pattern: string, directory: string): string {
  const negated = pattern.startsWith('!') && !pattern.startsWith('!(');
  const plain = negated ? pattern.slice(1) : pattern;
  return (negated ? '!' : '') + (isAbsolute(plain) ? plain : `${escapePath(directory)}/${plain}`);
}

function unreadable(path: string, cause: unknown): SquallError {
  return new SquallError('ERR_SQUALL_FILE', `cannot look for input in ${path}: ${(cause as Error).message}`, {
    facts: { file: path },
    cause,
  });
}

const ADVICE: Readonly<Record<Kind, string>> = {
  file: '',
  folder: 'that is a folder: for all files in it, say so with a pattern that ends in /**/*',
  other: 'that is neither a file nor a folder, and only a file can be read again from a position',
  missing: 'there is none: check the name, and the folder the run was started in',
};

function noInput(path: string | readonly string[], directory: string, kind: Kind): SquallError {
  const text = [path].flat().join("', '");
  return new SquallError(
    'ERR_SQUALL_NO_INPUT',
    `fileSpout expected a file that matches '${text}' in ${directory}; ${ADVICE[kind]}`,
    { facts: { path, directory } },
  );
}
