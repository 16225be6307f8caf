/** What a spout's stored position says of the stream it reads, held against the stream as it is now. */
import { SquallError } from '../core/errors.js';
import type { Position } from '../core/topology/definition.js';
import type { ConsumerInfo } from '../core/transport/consumer.js';

/** When the stream was made, and the message up to which all that this task was given is settled. */
export interface StreamPlace {
  readonly created: string;
  readonly seq: number;
}

export function placeOf(created: string, seq: number): Position {
  return { created, seq };
}

export function placeIn(position: Position | undefined): StreamPlace | undefined {
  const { created, seq } = (position ?? {}) as Partial<Record<string, unknown>>;
  return typeof created === 'string' && typeof seq === 'number' ? { created, seq } : undefined;
}

/**
 * Throws ERR_SQUALL_STREAM_CHANGED where going on would pass over messages in silence. `whole`: the task
 * reads all messages of the stream; one that reads some says nothing by a gap before the first. Nor does one in a stream
 * that drops what is acked.
 */
export function checkPlace(
  position: Position | undefined,
  stream: string,
  info: ConsumerInfo,
  where: string,
  whole: boolean,
): void {
  const place = placeIn(position);
  if (place === undefined) return;
  const { streamCreated, firstSeq, lastSeq, keeps } = info;
  const refuse = (why: string): never => {
    throw new SquallError(
      'ERR_SQUALL_STREAM_CHANGED',
      `${where}: the last run stopped at message ${place.seq} of the stream ${stream}, and ${why}. ` +
        'To go on with what is there now, and without what is not, start the run with --fresh.',
      { facts: { stream, position: place, firstSeq, lastSeq, created: streamCreated } },
    );
  };
  if (streamCreated !== place.created) refuse(`the stream was made anew since (at ${streamCreated})`);
  if (lastSeq < place.seq) refuse(`it now ends at message ${lastSeq}, before that`);
  if (whole && keeps && firstSeq > place.seq + 1)
    refuse(
      `it now begins at message ${firstSeq}: the ${firstSeq - place.seq - 1} between were removed before they were read`,
    );
}
