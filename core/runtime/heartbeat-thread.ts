/**
 * Runs in a thread of its own in every worker: says every 250 ms that the process lives and whether its main thread
 * turns, and ends the process when its supervisor is gone. When it could not beat for longer than the lease, because the
 * process or the whole machine stood still, the process may have been given up: it holds still until the supervisor
 * has said that it is still the one.
 *
 * One byte per beat on the pipe: '.' the main thread turns, '!' it has not turned for a while, '?' may I go on. The
 * answer to the last is any byte; a supervisor that has given the process up kills it instead.
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

let last = nowMs();
let asking = false;
// an answer that comes late is to a question of an earlier stop
pipe.on('data', () => {
  if (asking) times[1] = nowMs();
  asking = false;
});
setInterval(() => {
  const now = nowMs();
  if (now - last > LEASE_MS) asking = true;
  last = now;
  if (asking) {
    pipe.write('?');
    return;
  }
  times[1] = now;
  pipe.write(now - times[0] > BLOCKED_AFTER_MS ? '!' : '.');
}, BEAT_MS);
