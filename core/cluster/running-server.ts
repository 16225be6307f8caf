/** Where the runs of a state folder have their NATS, while one of them has it up. */
import type { ConnectOptions } from '../transport/connect-options.js';
import type { StateFolder } from './state-folder.js';

/** Undefined: no run is under way there, or it uses a server that was given to it. Starts nothing. */
export function runningServer(state: StateFolder): ConnectOptions | undefined {
  const server = state.holder() === undefined ? undefined : state.readServer();
  if (server === undefined) return undefined;
  return { servers: [server.url], credentials: { kind: 'token', token: server.token } };
}
