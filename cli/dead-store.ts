/** The dead letters of a topology, open for as long as a command works on them. */
import type { OpenDeadLetters } from '../core/cluster/dead-letters.js';
import type { ConnectFlags } from '../core/transport/connect-options.js';
import type { CommandContext } from './context.js';
import { exitCodeOfSignal } from './exit-codes.js';
import { serverOf } from './operator.js';

export type LetterStore = Pick<OpenDeadLetters['store'], 'list' | 'get' | 'count' | 'purge'>;

/** Where the letters are. */
export interface StoreFlags extends ConnectFlags {
  readonly state: string;
  readonly logins?: string;
}

/**
 * The exit code of `work`, or of the signal that ended it. However it ends, the store is closed: a nats-server that was
 * started for it must not stay.
 */
export async function withLetters(
  topology: string,
  flags: StoreFlags,
  { io, engine }: CommandContext,
  work: (store: LetterStore) => Promise<number>,
): Promise<number> {
  const openDeadLetters = await engine.openDeadLetters();
  const nats = await serverOf(flags, io.env);
  let ended: number | undefined;
  let end: (code: number) => void = () => {};
  const signalled = new Promise<number>((resolve) => {
    end = resolve;
  });
  const release = io.onSignal((signal) => {
    ended ??= exitCodeOfSignal(signal);
    end(ended);
  });
  try {
    const { store, close } = await openDeadLetters({ topology, state: flags.state, nats });
    try {
      return ended ?? (await Promise.race([work(store), signalled]));
    } finally {
      await close();
    }
  } finally {
    release();
  }
}
