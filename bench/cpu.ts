import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** USER_HZ: what /proc counts in, 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
/** Counted from the field after the command's name, which may hold spaces and brackets. */
const PARENT_FIELD = 1;
const USER_TICKS_FIELD = 11;
const SYSTEM_TICKS_FIELD = 12;
const SHOWN_NAME_LENGTH = 60;

export interface ProcessCpu {
  readonly name: string;
  readonly seconds: number;
}

/** CPU time by pid of the given processes and all their descendants; undefined where there is no /proc. */
export function cpuOf(pids: readonly number[]): Map<number, ProcessCpu> | undefined {
  if (!existsSync('/proc/self/stat')) return undefined;
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const stats = new Map(all.map((pid) => [pid, statOf(pid)]));
  const belongs = (pid: number): boolean =>
    pids.includes(pid) || (stats.get(pid) !== undefined && belongs(Number(stats.get(pid)?.[PARENT_FIELD])));
  const found = new Map<number, ProcessCpu>();
  for (const [pid, stat] of stats) {
    if (stat === undefined || !belongs(pid)) continue;
    const ticks = Number(stat[USER_TICKS_FIELD]) + Number(stat[SYSTEM_TICKS_FIELD]);
    found.set(pid, { name: nameOf(pid), seconds: ticks / TICKS_PER_SECOND });
  }
  return found;
}

/** CPU seconds of each process between two looks, by name. One that is new since counts from its beginning. */
export function cpuBetween(
  before: ReadonlyMap<number, ProcessCpu>,
  after: ReadonlyMap<number, ProcessCpu>,
): Map<string, number> {
  const spent = new Map<string, number>();
  for (const [pid, { name, seconds }] of after) {
    spent.set(name, (spent.get(name) ?? 0) + seconds - (before.get(pid)?.seconds ?? 0));
  }
  return spent;
}

function statOf(pid: number): string[] | undefined {
  const text = readProc(pid, 'stat');
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** A process title, or the program's name where it has set none. */
function nameOf(pid: number): string {
  const commandLine = (readProc(pid, 'cmdline') ?? '').split('\0');
  const title = commandLine[0].split('/').at(-1) ?? '';
  return title.slice(0, SHOWN_NAME_LENGTH) || String(pid);
}

/** undefined when the process has ended meanwhile */
function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
