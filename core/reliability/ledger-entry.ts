/** What a ledger keeps of one tracked tuple. */
import type { Failure, MessageId, ReplayReason } from '../topology/definition.js';

/** One attempt that has ended badly, for the history of a dead letter. Times in ms on the owner's clock. */
export interface AttemptRecord {
  readonly attempt: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly failure: Failure;
}

/** One tracked tuple. Written by the ledger; the owner reads it, and forgets it once it is complete. */
export interface Entry<Kept> {
  id: MessageId;
  /** what the owner needs to send the tuple again, dropped at the end; the ledger never looks inside */
  kept: Kept | undefined;
  row: number;
  /** order of emission, for positions */
  sequence: number;
  firstAt: number;
  bytes: number;
  /** number of the newest attempt, from 1 */
  attempt: number;
  /** why the newest attempt was made; undefined for the first */
  reason: ReplayReason | undefined;
  /** how many attempts failed or timed out */
  used: number;
  state: EntryState;
  /** slots of live attempts, newest first; the newest may be missing (backoff, held) */
  newest: number;
  older: number[] | undefined;
  /** root of the last attempt made, for messages that come after it has closed */
  lastHi: number;
  lastLo: number;
  history: AttemptRecord[] | undefined;
}

/**
 * pending: its newest attempt is live. waiting: for the end of its backoff, or for its turn to be sent again. held:
 * lost with a process or a link, sent again when the owner says that all are back. dead: given to the dead-letter
 * store. closed: complete or buried.
 */
export type EntryState = 'pending' | 'waiting' | 'held' | 'dead' | 'closed';

export function newEntry<Kept>(): Entry<Kept> {
  return {
    id: 0,
    kept: undefined,
    row: 0,
    sequence: 0,
    firstAt: 0,
    bytes: 0,
    attempt: 1,
    reason: undefined,
    used: 0,
    state: 'pending',
    newest: -1,
    older: undefined,
    lastHi: 0,
    lastLo: 0,
    history: undefined,
  };
}
