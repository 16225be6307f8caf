/** Access to a topology's dead letters from outside of its run, while it runs and afterwards. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SquallError } from '../errors.js';
import { DeadLetterStore } from '../inspect/dead-letter-store.js';
import type { ConnectOptions } from '../transport/connect-options.js';
import { NatsTransport } from '../transport/nats.js';
import { LetterBox } from './letter-box.js';
import { type OwnServer, startOwnServer } from './own-server.js';
import { runningServer } from './running-server.js';
import { StateFolder } from './state-folder.js';

export interface DeadLetterAccess {
  readonly topology: string;
  /** the state folder of the runs */
  readonly state: string;
  /** the server of the runs; without it the one that belongs to the state folder, started if no run has it up */
  readonly nats?: ConnectOptions;
}

export interface OpenDeadLetters {
  readonly store: DeadLetterStore;
  close(): Promise<void>;
}

export async function openDeadLetters({ topology, state: path, nats }: DeadLetterAccess): Promise<OpenDeadLetters> {
  const state = new StateFolder(path);
  let own: OwnServer | undefined;
  let connection = nats;
  if (connection === undefined) {
    if (!existsSync(state.path)) {
      throw new SquallError(
        'ERR_SQUALL_STATE',
        `there is no state folder ${state.path}: run this where the topology was run, or name the folder with --state DIR`,
        { facts: { path: state.path } },
      );
    }
    connection = runningServer(state);
    if (connection === undefined) {
      state.lock();
      try {
        own = await startOwnServer(
          state,
          () => {},
          () => {},
        );
      } catch (error) {
        state.unlock();
        throw error;
      }
      connection = own.connection;
    }
  }
  let transport: NatsTransport | undefined;
  const close = async (): Promise<void> => {
    await transport?.close();
    await own?.stop();
    if (own !== undefined) state.unlock();
  };
  try {
    transport = await NatsTransport.connect({ ...connection, name: 'squall:dead', waitOnFirstConnect: false });
    const store = new DeadLetterStore(topology, transport.jetstream(), transport.maxPayload);
    // letters that had to wait for the stream belong to the list
    const spill = join(state.folderOf(topology), 'dead-letters.spill');
    const box = new LetterBox(
      async () => store,
      spill,
      () => {},
    );
    await box.drainFile();
    box.close();
    return { store, close };
  } catch (error) {
    await close();
    throw error;
  }
}
