/** A process that hears `flood`, and tells its parent what its transport tells it. To be stopped while it reads. */
import { connectOptions } from '../../core/transport/connect-options.js';
import { NatsTransport } from '../../core/transport/nats.js';

const tell = (message: string): void => {
  process.send?.(message);
};
const options = connectOptions({}, process.env);
if (options === undefined) throw new Error('NATS_URL is not set');
const transport = await NatsTransport.connect(
  { ...options, name: 'squall:stopped-reader' },
  { onDown: () => tell('down'), onUp: () => tell('up'), onError: (error) => tell(`error ${error.message}`) },
);
transport.subscribe('flood', () => {});
transport.subscribe('after', () => tell('heard'));
await transport.flush();
tell('ready');
process.once('message', () => void transport.close().then(() => process.disconnect()));
