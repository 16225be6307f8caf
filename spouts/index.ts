/** Ready-made spouts: `squall/spouts`. */
export { type FileSpoutOptions, fileSpout } from './file.js';
