/** The components of `components.ts` with their sources and stores, as options of the suites. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckPlace, SinkCheckOptions, SourceCheckOptions } from '../../../core/testing/index.js';
import { type ConnectOptions, connectOptions } from '../../../core/transport/connect-options.js';
import { NatsTransport } from '../../../core/transport/nats.js';
import { filesIn } from './components.js';

const module = new URL('./components.js', import.meta.url);
const STREAM = { name: 'CHECK', subject: 'check.messages', maxBytes: 1 << 28 } as const;

const keysOf = (count: number): string[] => Array.from({ length: count }, (_, n) => `line ${n}`);

/** A source of the lines of a file. `rejects`: so many lines are no text. */
export function ofLines(spout: string, rejects = 0): SourceCheckOptions {
  return {
    module,
    spout,
    fill({ folder, count }) {
      const keys = keysOf(count);
      const path = join(folder, 'lines.txt');
      const bad = Buffer.from([0xff, 0xfe, 0x0a]);
      const text = keys.map((key) => Buffer.from(`${key}\n`));
      for (let n = 1; n <= rejects; n++) text.splice(Math.floor((n * count) / (rejects + 1)), 0, bad);
      writeFileSync(path, Buffer.concat(text));
      return { keys, rejects, parameters: { path } };
    },
    keyOf: ({ line }) => String(line),
  };
}

/** The stream of the check's own server. */
export function ofStream(replay: 'squall' | 'source'): SourceCheckOptions {
  return {
    module,
    spout: 'stream',
    async fill({ nats, count, round }) {
      const keys = keysOf(count);
      await withNats(nats, async (transport) => {
        const streams = transport.jetstream();
        const subject = `${STREAM.subject}.${round}`;
        await streams.ensureStream({ name: `${STREAM.name}-${round}`, subjects: [subject], maxBytes: STREAM.maxBytes });
        for (const key of keys) await streams.append(subject, Buffer.from(key), { msgId: key });
      });
      return { keys, parameters: { stream: `${STREAM.name}-${round}`, replay } };
    },
    keyOf: ({ text }) => String(text),
  };
}

/** A sink that appends to a file, the key first. */
export function toFile(sink: string): SinkCheckOptions {
  const path = ({ folder }: CheckPlace): string => join(folder, 'out.txt');
  return {
    module,
    sink,
    prepare: (place) => ({ path: path(place) }),
    read(place) {
      if (!existsSync(path(place))) return [];
      const lines = readFileSync(path(place), 'utf8').split('\n').slice(0, -1);
      return lines.map((line) => line.split('\t')[0]);
    },
  };
}

/** A sink that writes a file for each message; its folder can be taken away. */
export function toFolder(sink: string): SinkCheckOptions {
  const store = ({ folder }: CheckPlace): string => join(folder, 'store');
  const away = ({ folder }: CheckPlace): string => join(folder, 'away');
  return {
    module,
    sink,
    idempotent: true,
    prepare(place) {
      mkdirSync(store(place));
      return { folder: store(place) };
    },
    read: (place) => filesIn(existsSync(store(place)) ? store(place) : away(place)),
    outage: {
      begin: (place) => renameSync(store(place), away(place)),
      end: (place) => renameSync(away(place), store(place)),
    },
  };
}

/** `jetStreamSink`, into a stream of the check's own server. */
export function toStream(): SinkCheckOptions {
  const named = ({ round }: CheckPlace) => ({ name: `OUT-${round}`, subject: `out.${round}` });
  return {
    module,
    sink: 'streamOut',
    idempotent: true,
    async prepare(place) {
      const { name, subject } = named(place);
      await withNats(place.nats, (transport) =>
        transport.jetstream().ensureStream({ name, subjects: [subject], maxBytes: STREAM.maxBytes }),
      );
      return { subject };
    },
    read: (place) =>
      withNats(place.nats, async (transport) => {
        const keys: string[] = [];
        for await (const { bytes } of transport.jetstream().read(named(place).name)) keys.push(keyIn(bytes));
        return keys;
      }),
  };
}

/** `natsSink`, and somebody who listens; `close` when the check is over. */
export function toListener(): SinkCheckOptions & { close(): Promise<void> } {
  let listener: NatsTransport | undefined;
  let heard: string[] = [];
  const close = async (): Promise<void> => {
    await listener?.close();
    listener = undefined;
  };
  return {
    module,
    sink: 'subjectOut',
    ordered: true,
    async prepare({ nats, round }) {
      await close();
      heard = [];
      const subject = `heard.${round}`;
      listener = await clientOf(nats);
      listener.subscribe(subject, (bytes) => void heard.push(keyIn(bytes)));
      await listener.flush();
      return { subject };
    },
    async read() {
      await listener?.flush();
      return [...heard];
    },
    close,
  };
}

function keyIn(bytes: Uint8Array): string {
  return (JSON.parse(Buffer.from(bytes).toString()) as { readonly key: string }).key;
}

function clientOf(nats: string): Promise<NatsTransport> {
  return NatsTransport.connect({ ...(connectOptions({ nats }, {}) as ConnectOptions), name: 'test' });
}

async function withNats<T>(nats: string, use: (transport: NatsTransport) => Promise<T>): Promise<T> {
  const transport = await clientOf(nats);
  try {
    return await use(transport);
  } finally {
    await transport.close();
  }
}
