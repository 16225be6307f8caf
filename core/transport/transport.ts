/**
 * The only door to a network. Two implementations (NATS, in memory) pass one conformance suite.
 *
 * Contract:
 * - At most once. A published message reaches every current subscriber of the subject zero or one time; messages from
 *   one connection on one subject arrive in the order of publishing. Nothing is stored or redelivered.
 * - `publish` never blocks and never buffers while the link is down: it returns false and drops nothing silently. True
 *   says only that the message was handed to the link; it may still be lost if the link breaks, which `onDown` tells.
 *   A message refused with false is never delivered later.
 * - The handler may throw: the error goes to `onError`, reading goes on.
 * - `payload` given to a handler is valid only during the call (implementations may reuse the memory), and starts at any
 *   byte offset. `payload` given to `publish` must stay as it is until the caller's turn of the event loop is over, and
 *   may be reused after: implementations have copied it by then. (Handlers of several messages may run in one turn.)
 * - Subjects are checked by implementations: tokens of [A-Za-z0-9_-] joined by dots; for `subscribe` the last token may
 *   be `>` and any token `*`. Anything else throws SquallError ERR_SQUALL_BAD_SUBJECT before it reaches the network.
 * - A payload above `maxPayload` throws SquallError ERR_SQUALL_OVERSIZE with both sizes; the connection stays.
 * - What waits for the link (`flush`, `drain`) rejects with ERR_SQUALL_LINK_DOWN when it breaks, in the same turn.
 */
export interface Transport {
  /** largest payload in bytes; may change when the link comes back, with another server */
  readonly maxPayload: number;
  readonly connected: boolean;
  /** false when the link is down or the transport closed, and nothing was sent */
  publish(subject: string, payload: Uint8Array): boolean;
  /**
   * Also while the link is down: in force when it is back. Throws ERR_SQUALL_CLOSED after the transport was closed.
   * Another connection's messages are sure to come once a `flush` of this one has resolved.
   */
  subscribe(subject: string, handler: (payload: Uint8Array, subject: string) => void): TransportSubscription;
  /** resolves when the server has processed everything published and subscribed before; rejects if the link breaks */
  flush(): Promise<void>;
  /**
   * Subscriptions end, what was published is delivered, then the connection closes. Idempotent. Rejects where that
   * could not be, because the link is down or broke; the connection is closed all the same.
   */
  drain(): Promise<void>;
  /** at once: what is on the way may be lost. Idempotent. */
  close(): Promise<void>;
  /**
   * Drops the link and dials again: for a link that is declared lost though the socket looks alive. `onDown` is called
   * before it returns, `onUp` when the new link is there. Does nothing while the link is down.
   */
  reconnect(): Promise<void>;
}

export interface TransportSubscription {
  /** idempotent; no handler is called after it */
  unsubscribe(): void;
}

/**
 * Told as they happen, in order. `onDown` or `onClosed` comes before the first publish that returns false; the first
 * connection is told by `connect` itself. An event handler that throws is reported to `onError`.
 */
export interface TransportEvents {
  onDown?(why: string): void;
  /** the link is back and all subscriptions are in force again */
  onUp?(): void;
  /** a handler threw, the server refused a subject, … ; the transport goes on */
  onError?(error: Error): void;
  /** closed for good: by close() or drain(), or because the server will not have us back (authorization) */
  onClosed?(error?: Error): void;
}
