/**
 * The subjects of a run. Every name that enters a subject is checked here, because the NATS client checks nothing: a
 * space in a subject turns the rest into a reply subject, a CRLF publishes elsewhere.
 */
import { SquallError, shown } from '../errors.js';

/** 64: two names of a topology and a run id stay far below the server's control line of 4096 bytes. */
const TOKEN = /^[A-Za-z0-9_-]{1,64}$/;

/** First token of every subject, so that one permission line and one wiretap cover a topology. */
export const SUBJECT_PREFIX = 'squall';
/** Below it `squall doctor` talks to itself: no topology's name begins with an underscore. */
export const DOCTOR_SUBJECT = `${SUBJECT_PREFIX}._doctor`;

/** Returns `value` if it may be one token of a subject; throws ERR_SQUALL_BAD_SUBJECT, which calls it `what`, if not. */
export function checkToken(what: string, value: unknown): string {
  if (typeof value === 'string' && TOKEN.test(value)) return value;
  throw new SquallError(
    'ERR_SQUALL_BAD_SUBJECT',
    `Expected ${what} to be 1 to 64 characters of A-Z a-z 0-9 _ -, got ${shown(value)}`,
    { facts: { what, value } },
  );
}

function checkNumber(what: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new SquallError('ERR_SQUALL_BAD_SUBJECT', `Expected ${what} to be a whole number from 0, got ${shown(value)}`, {
    facts: { what, value },
  });
}

/**
 * `<prefix>.<topology>.<run>.…`. The run differs per start, so a restart never hears stragglers; task subjects name the
 * receiver's epoch, so nothing reaches a successor by mistake.
 */
export class Subjects {
  /** `<prefix>.<topology>.<run>` */
  readonly base: string;

  constructor(topology: string, run: string, prefix: string = SUBJECT_PREFIX) {
    const tokens = [checkToken('subject prefix', prefix), checkToken('topology', topology), checkToken('run', run)];
    this.base = tokens.join('.');
  }

  /** tuple frames to a task */
  data(task: number, epoch: number): string {
    return `${this.base}.t.${checkNumber('task', task)}.${checkNumber('epoch', epoch)}`;
  }

  /** INIT, ACK, FAIL, FORGET records to an acker task */
  acks(acker: number, epoch: number): string {
    return `${this.base}.a.${checkNumber('acker', acker)}.${checkNumber('epoch', epoch)}`;
  }

  /** DONE, FAILED, renewals to the ledger of a task */
  ledger(task: number, epoch: number): string {
    return `${this.base}.s.${checkNumber('task', task)}.${checkNumber('epoch', epoch)}`;
  }

  /** confirmations and credits for a sender */
  credit(task: number): string {
    return `${this.base}.c.${checkNumber('task', task)}`;
  }

  /** lifecycle, epochs, forensic questions, to every task */
  get everyone(): string {
    return `${this.base}.c.all`;
  }

  /** metrics of a worker, by its number or name */
  metrics(worker: number | string): string {
    return `${this.base}.m.${typeof worker === 'number' ? checkNumber('worker', worker) : checkToken('worker', worker)}`;
  }

  /** a subscription to all of the run */
  get everything(): string {
    return `${this.base}.>`;
  }
}
