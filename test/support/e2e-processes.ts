import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

export interface LivingProcess {
  readonly pid: number;
  /** its title, where it has set one */
  readonly command: string;
}

/** All processes of this machine that live: what was killed and only waits for its parent counts as gone. */
export function livingProcesses(): LivingProcess[] {
  return existsSync('/proc/self/cmdline') ? fromProc() : fromPs();
}

/** Highest resident set that the process ever had, in bytes; undefined where it is gone or the system does not tell. */
export function peakBytesOf(pid: number): number | undefined {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
}

function fromProc(): LivingProcess[] {
  const found: LivingProcess[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // of a zombie nothing is left to read
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      if (command !== '') found.push({ pid: Number(name), command });
    } catch {
      // it ended meanwhile
    }
  }
  return found;
}

function fromPs(): LivingProcess[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,stat=,args='], { encoding: 'utf8' });
  return table.split('\n').flatMap((line) => {
    const [, pid, stat, command] = /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    return command === undefined || stat.startsWith('Z') ? [] : [{ pid: Number(pid), command: command.trim() }];
  });
}
