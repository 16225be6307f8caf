/**
 * A channel is (sender task, epoch) → (receiver task, epoch). Both ends number, count and XOR the same things, and the
 * receiver confirms cumulatively what it has executed and flushed the results of. From that come credit, loss
 * detection, who was hit, and the balance. Pure: frames and credits are the caller's to carry.
 */

/** What a receiver tells a sender: all numbers are cumulative over the channel, so any one message heals a lost one. */
export interface Credit {
  /** every frame up to this one is executed and its results are flushed, or it was lost */
  frame: number;
  /** records of those frames that ended well, that failed, and that never arrived */
  consumed: number;
  failed: number;
  lost: number;
  /** unconfirmed records and bytes the sender may have */
  windowRecords: number;
  windowBytes: number;
  /** pairs of first and last frame that never arrived; all of them are told each time, so no lost credit hides one */
  missing: readonly number[];
}

/** Frames the sender has not had confirmed. `payload` is the owner's: the ids whose roots are hit when it is lost. */
interface Unconfirmed<P> {
  readonly frame: number;
  readonly records: number;
  readonly bytes: number;
  readonly payload: P;
  /** known not to have arrived */
  lost: boolean;
}

/** Gaps of a channel that are told one by one; older ones are told as one range, which costs replays, not tuples. */
const MAX_GAPS = 16;

/** The sending end. Counts are exact at any time: sent = consumed + failed + lost + unconfirmed. */
export class SendChannel<P> {
  readonly receiver: number;
  readonly receiverEpoch: number;
  frame = 0;
  sent = 0;
  xorHi = 0;
  xorLo = 0;
  consumed = 0;
  failed = 0;
  lost = 0;
  /** bytes of unconfirmed frames */
  bytes = 0;
  ended = false;

  #confirmed = 0;
  #windowRecords: number;
  #windowBytes: number;
  readonly #unconfirmed: Unconfirmed<P>[] = [];
  #head = 0;

  constructor(receiver: number, receiverEpoch: number, windowRecords: number, windowBytes: number) {
    this.receiver = receiver;
    this.receiverEpoch = receiverEpoch;
    this.#windowRecords = windowRecords;
    this.#windowBytes = windowBytes;
  }

  get inFlight(): number {
    return this.sent - this.consumed - this.failed - this.lost;
  }
  get unconfirmedFrames(): number {
    return this.frame - this.#confirmed;
  }
  /** Records that may still be sent; ≤ 0: none. Bytes used up count as no room at all. */
  get room(): number {
    return this.bytes >= this.#windowBytes ? 0 : this.#windowRecords - this.inFlight;
  }

  /**
   * How much the receiver gets done, compared with other receivers: its window is about a second of its measured work.
   * 0: it has not confirmed anything yet.
   */
  get speed(): number {
    return this.#confirmed === 0 ? 0 : this.#windowRecords;
  }

  /** Registers the next frame; its number is in `frame`, the cumulative fields are for its header. */
  send(records: number, bytes: number, xorHi: number, xorLo: number, payload: P): void {
    this.frame += 1;
    this.sent += records;
    this.bytes += bytes;
    this.xorHi ^= xorHi;
    this.xorLo ^= xorLo;
    this.#unconfirmed.push({ frame: this.frame, records, bytes, payload, lost: false });
  }

  /** Applies what the receiver says; calls `lost` for each frame it misses, once. Old and repeated credits do no harm. */
  credit(credit: Credit, lost: (payload: P, frame: number) => void, confirmed?: (payload: P) => void): void {
    if (credit.frame > this.frame) return;
    this.#windowRecords = credit.windowRecords;
    this.#windowBytes = credit.windowBytes;
    const { missing } = credit;
    for (let gap = 0; gap < missing.length; gap += 2) this.#missing(missing[gap], missing[gap + 1], lost);
    if (credit.frame < this.#confirmed) return;
    this.#confirmed = credit.frame;
    this.consumed = credit.consumed;
    this.failed = credit.failed;
    this.lost = credit.lost;
    while (this.#head < this.#unconfirmed.length && this.#unconfirmed[this.#head].frame <= credit.frame) {
      const { bytes, payload } = this.#unconfirmed[this.#head];
      this.bytes -= bytes;
      confirmed?.(payload);
      this.#head += 1;
    }
    if (this.#head > 64 && this.#head * 2 > this.#unconfirmed.length) {
      this.#unconfirmed.splice(0, this.#head);
      this.#head = 0;
    }
  }

  #missing(first: number, last: number, lost: (payload: P, frame: number) => void): void {
    if (last <= this.#confirmed) return;
    for (let index = this.#head; index < this.#unconfirmed.length; index++) {
      const sent = this.#unconfirmed[index];
      if (sent.frame > last) return;
      if (sent.frame < first || sent.lost) continue;
      sent.lost = true;
      lost(sent.payload, sent.frame);
    }
  }

  /** Calls `visit` for each frame that is neither confirmed nor known to be lost. */
  forEachUnconfirmed(visit: (payload: P) => void): void {
    for (let index = this.#head; index < this.#unconfirmed.length; index++) {
      if (!this.#unconfirmed[index].lost) visit(this.#unconfirmed[index].payload);
    }
  }
}

export type Arrival = 'next' | 'gap' | 'duplicate';

/** The receiving end. */
export class ReceiveChannel {
  readonly sender: number;
  readonly senderEpoch: number;
  /** last frame that arrived */
  frame = 0;
  /** records that arrived, and that were sent by what the headers say */
  arrived = 0;
  total = 0;
  consumed = 0;
  failed = 0;
  lost = 0;
  duplicates = 0;
  /** frames in order whose count or XOR disagrees with what arrived: an edge was altered, added or dropped on the way */
  mismatches = 0;
  ended = false;
  /** the sender's process is gone: what is here is the last word on this channel */
  closed = false;

  #xorHi = 0;
  #xorLo = 0;
  /** last frame whose records are all executed; and executed and flushed */
  #executed = 0;
  #confirmed = 0;
  #confirmedConsumed = 0;
  #confirmedFailed = 0;
  /** pairs of first and last missing frame */
  #missing: number[] = [];
  /** cumulative losses as of `#confirmed` */
  readonly #losses: { readonly frame: number; readonly records: number }[] = [];
  #confirmedLost = 0;

  constructor(sender: number, senderEpoch: number) {
    this.sender = sender;
    this.senderEpoch = senderEpoch;
  }

  /** A frame arrived. `gap`: frames before it did not, and never will; this one counts. `duplicate`: drop it. */
  arrive(
    frame: number,
    records: number,
    total: number,
    xorHi: number,
    xorLo: number,
    ownHi: number,
    ownLo: number,
  ): Arrival {
    if (frame <= this.frame) {
      this.duplicates += 1;
      return 'duplicate';
    }
    const gap = frame !== this.frame + 1;
    if (gap) {
      const missing = Math.max(0, total - records - this.total);
      const gaps = [...this.#missing, this.frame + 1, frame - 1];
      // the two oldest become one
      if (gaps.length > MAX_GAPS * 2) gaps.splice(1, 2);
      this.#missing = gaps;
      this.lost += missing;
      this.#losses.push({ frame: frame - 1, records: missing });
      // what was lost is unknown: go on from what the sender says
      this.#xorHi = xorHi;
      this.#xorLo = xorLo;
    } else {
      this.#xorHi ^= ownHi;
      this.#xorLo ^= ownLo;
      if (this.total + records !== total || (this.#xorHi | 0) !== (xorHi | 0) || (this.#xorLo | 0) !== (xorLo | 0)) {
        this.mismatches += 1;
        this.#xorHi = xorHi;
        this.#xorLo = xorLo;
      }
    }
    this.frame = frame;
    this.arrived += records;
    this.total = total;
    return gap ? 'gap' : 'next';
  }

  /** All records of `frame` (and of those before) are executed; `failed` of its `records` failed. */
  executed(frame: number, records: number, failed: number): void {
    this.#executed = Math.max(this.#executed, frame);
    this.consumed += records - failed;
    this.failed += failed;
  }

  /** The results of everything executed have been handed to the links: from now on it is confirmed. */
  flushed(): void {
    this.#confirmed = this.#executed;
    this.#confirmedConsumed = this.consumed;
    this.#confirmedFailed = this.failed;
    while (this.#losses.length > 0 && this.#losses[0].frame <= this.#confirmed) {
      this.#confirmedLost += (this.#losses.shift() as { records: number }).records;
    }
  }

  /** records that arrived and are not executed */
  get waiting(): number {
    return this.arrived - this.consumed - this.failed;
  }
  get confirmed(): number {
    return this.#confirmed;
  }

  credit(windowRecords: number, windowBytes: number, into: Credit): void {
    into.frame = this.#confirmed;
    into.consumed = this.#confirmedConsumed;
    into.failed = this.#confirmedFailed;
    into.lost = this.#confirmedLost;
    into.windowRecords = windowRecords;
    into.windowBytes = windowBytes;
    into.missing = this.#missing;
  }
}
