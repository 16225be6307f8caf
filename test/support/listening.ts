/** Where processes can be reached over the network, by what Linux tells. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

export const canTell = existsSync('/proc/net/tcp');

export interface Listening {
  readonly pid: number;
  /** `127.0.0.1`, or another address as the system writes it */
  readonly address: string;
  readonly port: number;
}

/** Of a TCP socket that listens. */
const LISTENS = '0A';
const LOOPBACK = new Set(['0100007F', '00000000000000000000000001000000', '0000000000000000FFFF00000100007F']);

export function listeningOf(pids: readonly number[]): Listening[] {
  const sockets = new Map<string, { address: string; port: number }>();
  for (const [table, bound] of [
    ['tcp', LISTENS],
    ['tcp6', LISTENS],
    // all that are bound
    ['udp', undefined],
    ['udp6', undefined],
  ] as const) {
    for (const line of read(`/proc/net/${table}`).split('\n').slice(1)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (inode === undefined || (bound !== undefined && state !== bound)) continue;
      const [address, port] = local.split(':');
      sockets.set(inode, {
        address: LOOPBACK.has(address) ? '127.0.0.1' : address,
        port: Number.parseInt(port, 16),
      });
    }
  }
  return pids.flatMap((pid) =>
    inodesOf(pid).flatMap((inode) => {
      const socket = sockets.get(inode);
      return socket === undefined ? [] : [{ pid, ...socket }];
    }),
  );
}

function inodesOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
      const [, inode] = /^socket:\[(\d+)\]$/.exec(link(`/proc/${pid}/fd/${name}`)) ?? [];
      return inode === undefined ? [] : [inode];
    });
  } catch {
    return [];
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
