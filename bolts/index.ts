/** Ready-made bolts: `squall/bolts`. */
export type { LineFormat } from './line-format.js';
export { type LinesSinkOptions, linesSink } from './lines-sink.js';
export { type PrintBoltOptions, printBolt } from './print.js';
