/**
 * What commands and runs say to each other over NATS: JSON, because both may be of different versions. A request goes
 * to all runs (`squall._control`) or to those of a topology (`squall.<topology>._control`): names and tokens of runs do
 * not begin with an underscore. It holds a token, and answers go to `_reply.<token>` beside its own subject: so nobody
 * can make a run publish elsewhere.
 */
import { checkToken, SUBJECT_PREFIX } from '../wire/subjects.js';
import type { RunSnapshot, RunStatus } from './run-types.js';

const VERSION = 1;
/** A request has a few short fields. What is larger is none. */
const MAX_REQUEST_BYTES = 1024;

export const CONTROL_ACTIONS = ['status', 'watch', 'pause', 'resume', 'drain', 'kill'] as const;
/** status: answer. watch: answer, and tell when the run has ended, as drain and kill do too. */
export type ControlAction = (typeof CONTROL_ACTIONS)[number];

export interface ControlRequest {
  readonly action: ControlAction;
  /** the last token of the subject for answers */
  readonly reply: string;
  /** the run that is meant; without one all are asked, and nothing but for their status */
  readonly start?: string;
}

/** A run as it answers. */
export interface RemoteRun {
  readonly topology: string;
  readonly run: string;
  /** token of this start: unlike `run`, no two processes have the same */
  readonly start: string;
  readonly pid: number;
  readonly host: string;
  /** milliseconds since 1970 */
  readonly startedAt: number;
  readonly snapshot: RunSnapshot;
  /** it did not do what it was asked for: why */
  readonly refused?: string;
}

export interface RemoteEnd {
  readonly start: string;
  readonly status: RunStatus;
  /** status `stopped`: everything in flight was settled first */
  readonly drained?: boolean;
}

export type ControlAnswer =
  /** `to`: what was asked */
  | ({ readonly type: 'run'; readonly to: ControlAction } & RemoteRun)
  /** its last word */
  | ({ readonly type: 'ended' } & RemoteEnd);

/** `topology` undefined: all runs. */
export function controlSubject(topology?: string): string {
  return `${baseOf(topology)}._control`;
}

export function replySubject(topology: string | undefined, reply: string): string {
  return `${baseOf(topology)}._reply.${checkToken('reply', reply)}`;
}

function baseOf(topology: string | undefined): string {
  return topology === undefined ? SUBJECT_PREFIX : `${SUBJECT_PREFIX}.${checkToken('topology', topology)}`;
}

export function encode(message: ControlRequest | ControlAnswer): Uint8Array {
  return Buffer.from(JSON.stringify({ squall: VERSION, ...message }));
}

/** Undefined: it is none, or of another version. Anybody may send here. */
export function decodeRequest(bytes: Uint8Array): ControlRequest | undefined {
  if (bytes.length > MAX_REQUEST_BYTES) return undefined;
  const { action, reply, start } = decode(bytes);
  if (!CONTROL_ACTIONS.includes(action as ControlAction)) return undefined;
  if (!isToken(reply) || (start !== undefined && !isToken(start))) return undefined;
  return { action: action as ControlAction, reply, ...(start === undefined ? {} : { start }) };
}

/** Undefined: it is none, or of another version. */
export function decodeAnswer(bytes: Uint8Array): ControlAnswer | undefined {
  const { squall: _version, type, ...message } = decode(bytes);
  if (!isToken(message.start)) return undefined;
  const known = type === 'ended' ? typeof message.status === 'string' : type === 'run' && isRun(message);
  return known ? ({ type, ...message } as unknown as ControlAnswer) : undefined;
}

function isRun({ topology, run, host, pid, startedAt, snapshot }: Record<string, unknown>): boolean {
  return (
    isToken(topology) &&
    isToken(run) &&
    typeof host === 'string' &&
    typeof pid === 'number' &&
    typeof startedAt === 'number' &&
    isSnapshot(snapshot)
  );
}

/** As far as commands rely on it. */
function isSnapshot(value: unknown): boolean {
  const { phase, elapsedMs, spouts, workers, tasks } = (value ?? {}) as Record<string, unknown>;
  const counts = Object.values((spouts ?? {}) as Record<string, unknown>).every(
    (spout) => isCount(spout, 'pending') && isCount(spout, 'acked'),
  );
  const { up, all } = (workers ?? {}) as Record<string, unknown>;
  return (
    typeof phase === 'string' &&
    typeof elapsedMs === 'number' &&
    counts &&
    typeof up === 'number' &&
    typeof all === 'number' &&
    Array.isArray(tasks)
  );
}

function isCount(of: unknown, name: string): boolean {
  return typeof (of as Record<string, unknown> | null)?.[name] === 'number';
}

function decode(bytes: Uint8Array): Record<string, unknown> {
  try {
    const message: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if ((message as { squall?: unknown } | null)?.squall === VERSION) return message as Record<string, unknown>;
  } catch {
    // not ours
  }
  return {};
}

function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(value);
}
