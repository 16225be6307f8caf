/**
 * What a task gets from the worker that hosts it: everything outside itself. A task touches no process, no network
 * client and no clock but through this, so a simulator can host the same tasks.
 */

import type { DeadLetter } from '../inspect/dead-letter.js';
import type { Credit } from '../reliability/channel.js';
import type { ComponentConfig, Failure, Position, TopologyPlan } from '../topology/definition.js';
import type { Transport } from '../transport/transport.js';
import type { EdgeIds } from '../tuple/edge-ids.js';
import type { Batch } from '../wire/batch.js';
import type { AckRecords } from '../wire/control-frames.js';
import type { FrameHeader } from '../wire/frame.js';
import type { SipKey } from '../wire/sip-hash.js';
import type { Clock } from './clock.js';
import type { Suspect } from './suspect-file.js';

/** Where frames for a task go. Names as in `wire/subjects.ts`. */
export interface TaskSubjects {
  data(task: number, epoch: number): string;
  acks(task: number, epoch: number): string;
  ledger(task: number, epoch: number): string;
  credit(task: number): string;
  readonly everyone: string;
}

/** A task in the same process takes things as they are, without a frame round them. */
export interface LocalPeer {
  readonly epoch: number;
  /** the batch of a data frame, or the records of an ack frame */
  acceptParcel(header: FrameHeader, parcel: Batch | AckRecords): void;
  acceptCredit(header: FrameHeader, credit: Credit): void;
}

export interface TaskEnv {
  readonly plan: TopologyPlan;
  readonly run: string;
  readonly debug: boolean;
  readonly component: string;
  /** the settings that hold for the component */
  readonly config: ComponentConfig;
  readonly task: number;
  readonly index: number;
  readonly tasks: number;
  readonly epoch: number;
  /** task numbers of the ackers; empty: nothing is tracked */
  readonly ackers: readonly number[];
  /** of the run's frames */
  readonly frameKey: SipKey;
  /** the number of this worker's next letter: what is sent twice by others has a number that is gone */
  nextLetter(): number;
  readonly clock: Clock;
  readonly edgeIds: EdgeIds;
  /** uniform in [0, 1) */
  readonly random: () => number;
  readonly data: Transport;
  readonly control: Transport;
  readonly subjects: TaskSubjects;
  /** epoch of a task that is ready, or 0 */
  peerEpoch(task: number): number;
  local(task: number): LocalPeer | undefined;
  /** is the task in this process, be it made yet or not? */
  isLocal(task: number): boolean;
  /** channels that send to tasks of this process and were heard of lately: they share its receive budget */
  activeSenders(): number;
  /** asks all tasks of the run to say soon what they hold */
  askClaims(): void;
  /** gives the task a turn soon */
  wake(): void;
  /** frees what nobody refers to: under --debug, to find dropped tuples soon */
  readonly collectGarbage?: () => void;
  report: TaskReports;
}

/** What a task tells those who run it. */
export interface TaskReports {
  /** everything is said: nothing more will come from this task */
  ended(): void;
  position(position: Position): void;
  /** a channel is over; its last word for the balance */
  channelClosed(record: ClosedChannel): void;
  warn(message: string): void;
  /** a root was lost: counted, and told to whoever listens to the run */
  replay(record: { readonly id: string; readonly attempt: number; readonly failure: Failure }): void;
  deadLetter(letter: DeadLetter): Promise<void>;
  /** this task is about to execute a tuple that may have killed its last executor; `undefined`: it survived */
  suspect(root: Suspect | undefined): void;
  /** the component's own code failed where nothing can be retried: the process ends */
  fatal(error: unknown, where: string): void;
}

/** The shortest T of all ledgers: who holds their tuples renews them in time for it. */
export function shortestTimeoutMs({ components, config }: TopologyPlan): number {
  return Math.min(config.messageTimeoutMs, ...components.map(({ config }) => config.messageTimeoutMs));
}

/** How often a task says what it holds: eight times within the shortest T. */
export function renewEveryMs(plan: TopologyPlan): number {
  return Math.max(20, shortestTimeoutMs(plan) / 8);
}

/** created = consumed + failed + written off, for one channel that is over */
export interface ClosedChannel {
  readonly sender: number;
  readonly senderEpoch: number;
  readonly receiver: number;
  readonly receiverEpoch: number;
  readonly created: number;
  readonly consumed: number;
  readonly failed: number;
  readonly writtenOff: number;
  readonly cause: string;
  readonly mismatches: number;
}
