/**
 * Runs in a thread of its own in every worker: says every 250 ms that the process lives and whether its main thread
 * turns, and ends the process when its supervisor is gone or when it was stopped for so long that it has been replaced.
 *
 * One byte per beat on the pipe: '.' the main thread turns, '!' it has not turned for a while.
 */
import { Socket } from 'node:net';
import { workerData } from 'node:worker_threads';
import { BEAT_MS, BLOCKED_AFTER_MS, LEASE_MS, nowMs } from './heartbeat.js';

const { fd, shared } = workerData as { fd: number; shared: SharedArrayBuffer };
const times = new Float64Array(shared);

const die = (): void => process.kill(process.pid, 'SIGKILL') as unknown as void;
const pipe = new Socket({ fd, readable: true, writable: true });
pipe.on('error', die);
pipe.on('end', die);
pipe.on('close', die);
pipe.resume();

let last = nowMs();
setInterval(() => {
  const now = nowMs();
  // stopped (SIGSTOP) for longer than the lease: a successor is at work
  if (now - last > LEASE_MS) die();
  last = now;
  times[1] = now;
  pipe.write(now - times[0] > BLOCKED_AFTER_MS ? '!' : '.');
}, BEAT_MS);
