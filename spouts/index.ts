/** Ready-made spouts: `squall/spouts`. */
export type { BrokerServer } from '../core/transport/broker.js';
export type { MakeStream } from '../core/transport/stream-option.js';
export { type FileSpoutOptions, fileSpout } from './file.js';
export { type HttpSpoutOptions, httpSpout } from './http.js';
export { type IntervalSpoutOptions, intervalSpout, type Tick } from './interval.js';
export { type JetStreamSpoutOptions, jetStreamSpout } from './jetstream.js';
export type { Decoding, Message } from './message-decoding.js';
export { type NatsSpoutOptions, natsSpout } from './nats.js';
export type { WebhookSecret } from './webhook-secret.js';
