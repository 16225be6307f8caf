#!/usr/bin/env node
import { printError } from './errors.js';
import { EXIT } from './exit-codes.js';
import { flushed, processIo } from './io.js';
import { main } from './main.js';

const args = process.argv.slice(2);
const io = processIo();

// A URL may hold a password: from here on `ps` does not show it.
const isUrl = (arg: string, at: number) => arg.startsWith('--nats=') || args[at - 1] === '--nats';
if (args.some((arg, at) => isUrl(arg, at) && arg.includes('@'))) process.title = `squall ${args[0]}`;

process.on('uncaughtException', (error) => {
  printError(error, io.stderr, true);
  process.exit(EXIT.failure);
});

const code = await main(args, io);
await flushed(io);
// The topology file was imported here as well, and may hold the process open.
process.exit(code);
