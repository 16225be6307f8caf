/** A process that starts an embedded nats-server in the folder of its argument, tells its pid, and stays. */
import { startEmbeddedNats } from '../../core/cluster/nats-server.js';
import { natsServerBinary } from './nats.js';

const nats = await startEmbeddedNats({ binary: await natsServerBinary(), dir: process.argv[2], token: 'test-token' });
process.send?.({ pid: nats.pid, port: nats.port });
