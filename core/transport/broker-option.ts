/** The `nats` option of components that speak to NATS themselves. */
import { SquallError, shown } from '../errors.js';
import type { TaskContext } from '../topology/definition.js';
import { isRecord, type Report } from '../topology/options.js';
import { type Broker, type BrokerServer, brokerOf, serverOptions } from './broker.js';

/** Reports what cannot be a server; `undefined` is the run's own. */
export function checkServer(server: unknown, report: Report): BrokerServer | undefined {
  if (server === undefined) return undefined;
  try {
    if (typeof server === 'string') serverOptions(server);
    else if (!isRecord(server) || !Array.isArray(server.servers)) {
      report(`nats: expected a URL or { servers: [url], credentials }, found ${shown(server)}`);
      return undefined;
    }
    return server as BrokerServer;
  } catch (error) {
    report(`nats: ${(error as Error).message}`);
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
  return door.open(serverOptions(server));
}
