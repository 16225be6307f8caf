/** Ready-made bolts: `squall/bolts`. */
export type { BrokerServer } from '../core/transport/broker.js';
export type { MakeStream } from '../core/transport/stream-option.js';
export type { Encoding } from './encoding.js';
export { type JetStreamSinkOptions, jetStreamSink } from './jetstream-sink.js';
export type { LineFormat } from './line-format.js';
export { type LinesSinkOptions, linesSink } from './lines-sink.js';
export { type NatsSinkOptions, natsSink } from './nats-sink.js';
export { type PrintBoltOptions, printBolt } from './print.js';
export type { SinkSubject } from './sink-subject.js';
