/** What became of a file whose name was taken from it, and of those that had the name after it. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { inodeOf } from './followed-file.js';
import type { FollowedPlace } from './followed-place.js';

/** `.1`, `-20260131`, `.2026-01-31T10:00`: what rotation adds to a name. */
const MARK = String.raw`[._-]\d[\d._:T-]*`;

interface Sibling {
  readonly path: string;
  readonly ino: bigint;
  readonly inode: string;
  readonly mtimeNs: bigint;
  readonly birthtimeNs: bigint;
  /** its name is that of the followed file with a number or a date */
  readonly marked: boolean;
}

/** Files beside `path` whose names begin as its own does, those written last first. */
async function siblings(path: string): Promise<Sibling[]> {
  const folder = dirname(path);
  const name = basename(path);
  const ending = extname(name);
  const stem = name.slice(0, name.length - ending.length);
  const marked = new RegExp(`^(?:${escaped(name)}${MARK}|${escaped(stem)}${MARK}${escaped(ending)})$`);
  const names = await readdir(folder).catch(() => []);
  const found: Sibling[] = [];
  for (const one of names) {
    if (one === name || !one.startsWith(stem)) continue;
    const file = join(folder, one);
    // it may be renamed once more meanwhile
    const stats = await stat(file, { bigint: true }).catch(() => undefined);
    if (!stats?.isFile()) continue;
    found.push({
      path: file,
      ino: stats.ino,
      inode: inodeOf(stats),
      mtimeNs: stats.mtimeNs,
      birthtimeNs: stats.birthtimeNs,
      marked: marked.test(one),
    });
  }
  return found.sort((a, b) => Number(b.mtimeNs - a.mtimeNs || b.birthtimeNs - a.birthtimeNs));
}

/** Where the file of `place` may be now: renamed, or as a copy. */
export async function whereabouts(
  path: string,
  place: FollowedPlace,
): Promise<{ readonly renamed: string | undefined; readonly copies: readonly string[] }> {
  const found = await siblings(path);
  return {
    renamed: found.find(({ inode }) => inode === place.inode)?.path,
    copies: found.filter(({ marked, inode }) => marked && inode !== place.inode).map((one) => one.path),
  };
}

/** The file that had the name after one last written at `afterNs`, and lost it since; undefined: none did. */
export async function nextRotated(
  path: string,
  afterNs: bigint,
  known: ReadonlySet<bigint>,
): Promise<string | undefined> {
  // the clock of a file system goes in steps of milliseconds: two of one step may have followed each other
  const later = (await siblings(path)).filter(
    ({ marked, mtimeNs, ino }) => marked && mtimeNs >= afterNs && !known.has(ino),
  );
  return later.at(-1)?.path;
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
