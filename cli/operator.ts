/** Which NATS the commands look at, and as whom. */
import { SquallError } from '../core/errors.js';
import { type ConnectFlags, type ConnectOptions, connectOptions } from '../core/transport/connect-options.js';

/** Undefined: the one that belongs to the state folder. With `--logins` as that folder's operator. */
export async function serverOf(
  flags: ConnectFlags & { readonly logins?: string },
  env: NodeJS.ProcessEnv,
): Promise<ConnectOptions | undefined> {
  const nats = connectOptions(flags, env);
  if (flags.logins === undefined) return nats;
  if (nats === undefined) {
    const message = '--logins is for a NATS server that knows its users, and none is given: name it with --nats URL';
    throw new SquallError('ERR_SQUALL_USAGE', message);
  }
  const { operatorLogin } = await import('../core/cluster/logins.js');
  return operatorLogin(flags.logins, nats);
}
