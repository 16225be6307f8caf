/**
 * A durable pull consumer of a stream, shared by all who name it: each message goes to one of them, and again to any,
 * when it was not acked within the consumer's `ackWaitMs`.
 */
export interface PullConsumer {
  /** How many more messages may come, on top of those that were asked for already and have not come yet. */
  want(messages: number): void;
  /** asked for, and not come yet */
  readonly asked: number;
  /** How far the stream and the consumer are. */
  info(): Promise<ConsumerInfo>;
  /** No more messages come. Idempotent. What is not acked comes to others. */
  stop(): void;
}

/** What the consumer tells. */
export interface ConsumerHandler {
  message(message: PulledMessage): void;
  /**
   * No message will come any more: consumer or stream was deleted or made anew, or the server forbids its use. The error
   * says which, and what to do.
   */
  gone(error: Error): void;
  /** The link is back, to the same stream: what was said of messages shortly before it broke may be lost. */
  back(): void;
}

export interface PulledMessage {
  /** number in the stream: the same in every delivery */
  readonly seq: number;
  readonly subject: string;
  readonly data: Uint8Array;
  /** when it was stored, ms since 1970, by the server's clock */
  readonly timeMs: number;
  /** 1 at first */
  readonly deliveries: number;
  readonly delivery: Delivery;
}

/**
 * How one delivery of a message ends; it holds no bytes of the message. Nothing here waits for the server, and while the
 * link is down all is lost: the message then comes again. Acking twice does no harm.
 */
export interface Delivery {
  /** done: never again */
  ack(): void;
  /** again, after this time */
  nak(delayMs: number): void;
  /** still at work: the consumer's `ackWaitMs` begins anew */
  working(): void;
  /** given up: never again, though it is not done */
  term(): void;
}

export interface ConsumerConfig {
  readonly stream: string;
  readonly name: string;
  /** of the stream's subjects; undefined: all */
  readonly subject: string | undefined;
  /** of a new consumer: everything in the stream, or what comes from now on */
  readonly deliver: 'all' | 'new';
  readonly ackWaitMs: number;
  /** the server delivers no more while so many are not acked, over all who share it */
  readonly maxAckPending: number;
  /** whose consumer it is; undefined: whoever names it. Another owner's is refused. */
  readonly owner?: string;
  /** It was made before. Where it is not there nobody knows which messages are done: ERR_SQUALL_CONSUMER. */
  readonly mustExist?: boolean;
  /** with `mustExist`: when the stream was made then; where it is another now, ERR_SQUALL_STREAM_CHANGED */
  readonly streamCreated?: string;
}

export interface ConsumerInfo {
  /** when the stream was made: a stream of the same name that was made anew has another */
  readonly streamCreated: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** messages stay in the stream when they are acked */
  readonly keeps: boolean;
  /** everything up to it is acked */
  readonly ackedSeq: number;
  /** delivered and not acked */
  readonly unacked: number;
  /** not delivered yet */
  readonly waiting: number;
}
