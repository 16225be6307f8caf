/** The `nats` option of components that speak to NATS themselves. */
import { isSquallError, SquallError, shown } from '../errors.js';
import type { TaskContext } from '../topology/definition.js';
import { isRecord, type Report } from '../topology/options.js';
import { type Broker, type BrokerServer, brokerOf, serverOptions } from './broker.js';

/** Reports what cannot be a server; `undefined` is the run's own. */
export function checkServer(server: unknown, report: Report): BrokerServer | undefined {
  if (server === undefined) return undefined;
  try {
    const urls = isRecord(server) && Array.isArray(server.servers) ? server.servers : [server];
    if (server === '' || urls.length === 0 || !urls.every((url) => typeof url === 'string')) {
      // what stands in an object may be a secret
      const found = isRecord(server) ? `an object of ${Object.keys(server).join(', ') || 'nothing'}` : shown(server);
      report(`nats: expected a URL or { servers: [url], credentials }, found ${found}`);
      return undefined;
    }
    serverOptions(server as BrokerServer);
    return server as BrokerServer;
  } catch (error) {
    report(`nats: ${inOption(error)}`);
    return undefined;
  }
}

/**
 * A connection for the task. `what`: the component, for messages. Rejects with ERR_SQUALL_NO_BROKER in a local run, and
 * as `NatsTransport.connect` does.
 */
export async function openBroker(
  context: TaskContext,
  server: BrokerServer | undefined,
  what: string,
): Promise<Broker> {
  const door = brokerOf(context);
  if (door === undefined) {
    throw new SquallError(
      'ERR_SQUALL_NO_BROKER',
      `${what} needs NATS, and this run has none: in a local run give a spout's tuples with \`spouts\`, and put captureBolt() in the place of a sink`,
      { facts: { component: context.component, task: context.task } },
    );
  }
  if (server === undefined) return door.open(undefined);
  try {
    return await door.open(serverOptions(server));
  } catch (error) {
    if (!isSquallError(error)) throw error;
    const why = `${what} '${context.component}': ${inOption(error)}`;
    throw new SquallError(error.code, why, { facts: error.facts, cause: error });
  }
}

/** Here the server is named neither by a flag nor by the environment. */
function inOption(error: unknown): string {
  return (error as Error).message.replaceAll(/--nats( or NATS_URL)?/g, 'the option nats');
}
