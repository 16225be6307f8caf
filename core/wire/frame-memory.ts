/**
 * Memory for frames that are being published. A transport has taken or copied what it was given by the end of the turn
 * of the event loop (its contract), so the frames of one turn lie one behind the other in a slab, and the next turn
 * begins at its start: no allocation and no garbage per frame.
 */
const SLAB_BYTES = 1 << 20;

const slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let used = 0;

/** Room for a frame, to be published in this turn. Its contents are whatever was there. */
export function frameMemory(bytes: number): Buffer {
  const at = used;
  if (at + bytes > SLAB_BYTES) return Buffer.allocUnsafeSlow(bytes);
  // typed arrays over it want their words aligned
  used = (at + bytes + 7) & ~7;
  return slab.subarray(at, at + bytes);
}

/** A new turn: everything published before has left. Called by whoever gives tasks their turns, and by nobody else. */
export function newTurn(): void {
  used = 0;
}
