/**
 * The limit: word count on NATS, written by hand for this one pipeline. `node word-count.js ROLE [PROGRESS FILE]` is one
 * of its four processes. Same layout and batching as Squall, every sentence acked by an XOR acker with 64-bit random edge
 * ids, 8192 pending; but no framework: no credits, no ledger beyond a slot, no time-outs, no replays, no checks.
 *
 *   spout ─sentences→ split ─words→ count         spout, split, count ─records→ acker ─done roots→ spout
 *
 * On SIGTERM a process prints what it did as JSON and ends; the spout waits for its pending sentences first.
 */
import { connect, type NatsConnection } from 'nats';
import { writeProgress } from '../progress.js';
import { SENTENCES } from '../sentences.js';
import { randomHalf } from './edge-ids.js';
import { FRAME_TUPLES, numbersOf, RecordWriter, type Send, TupleReader, TupleWriter } from './frames.js';

/** A power of two: a root is a slot in its low bits and a generation above, which wraps after 2¹⁹ uses of the slot. */
const MAX_PENDING = 8192;
const SLOT_MASK = MAX_PENDING - 1;

const SENTENCES_SUBJECT = 'limit.sentences';
const WORDS_SUBJECT = 'limit.words';
const RECORDS_SUBJECT = 'limit.records';
const DONE_SUBJECT = 'limit.done';

type Totals = Readonly<Record<string, number>>;
/** `finish` resolves when the role has nothing under way */
interface Role {
  finish(): Totals | Promise<Totals>;
}

const roles: Readonly<Record<string, (nats: NatsConnection, progressFile: string) => Role | Promise<Role>>> = {
  spout: startSpout,
  split: startSplit,
  count: startCount,
  acker: startAcker,
};

async function startSpout(nats: NatsConnection, progressFile: string): Promise<Role> {
  const sentences = new TupleWriter(sendTo(nats, SENTENCES_SUBJECT));
  const records = new RecordWriter(sendTo(nats, RECORDS_SUBJECT), MAX_PENDING);
  const flushRecords = () => records.flush();
  /** a ring of free roots: the slot of one that is done comes back with the next generation, oldest first */
  const free = new Uint32Array(MAX_PENDING).map((_, slot) => slot);
  let emitted = 0;
  let acked = 0;
  let stopping = false;
  let allDone = () => {};

  /** Whole frames only: every pending sentence comes back by itself, so there is always room again. */
  function emit(): void {
    while (!stopping && MAX_PENDING - (emitted - acked) >= FRAME_TUPLES) {
      for (let i = 0; i < FRAME_TUPLES; i++) {
        const root = free[emitted & SLOT_MASK];
        const low = randomHalf();
        const high = randomHalf();
        records.add(root, low, high);
        sentences.add(root, low, high, SENTENCES[emitted % SENTENCES.length]);
        emitted += 1;
      }
      flushRecords();
    }
  }

  listen(nats, DONE_SUBJECT, (payload) => {
    const roots = numbersOf(payload);
    for (let i = 0; i < roots.length; i++) {
      free[acked & SLOT_MASK] = roots[i] + MAX_PENDING;
      acked += 1;
    }
    if (stopping && acked === emitted) allDone();
    emit();
  });

  const progress = writeProgress(progressFile, () => acked);
  emit();
  return {
    async finish() {
      stopping = true;
      if (acked < emitted) await new Promise<void>((resolve) => (allDone = resolve));
      progress.stop();
      return { emitted, acked };
    },
  };
}

function startSplit(nats: NatsConnection): Role {
  const input = new TupleReader();
  const words = new TupleWriter(sendTo(nats, WORDS_SUBJECT));
  const records = new RecordWriter(sendTo(nats, RECORDS_SUBJECT), MAX_PENDING);
  const flushSoon = atEndOfTurn(() => {
    words.flush();
    records.flush();
  });
  let emitted = 0;

  listen(nats, SENTENCES_SUBJECT, (payload) => {
    input.read(payload);
    const { ids, values } = input;
    for (let i = 0; i < values.length; i++) {
      const root = ids[3 * i];
      let low = ids[3 * i + 1];
      let high = ids[3 * i + 2];
      for (const word of values[i].split(' ')) {
        const wordLow = randomHalf();
        const wordHigh = randomHalf();
        low ^= wordLow;
        high ^= wordHigh;
        words.add(root, wordLow, wordHigh, word);
        emitted += 1;
      }
      records.add(root, low, high);
    }
    flushSoon();
  });
  return { finish: () => ({ emitted }) };
}

function startCount(nats: NatsConnection): Role {
  const input = new TupleReader();
  const records = new RecordWriter(sendTo(nats, RECORDS_SUBJECT), MAX_PENDING);
  const flushSoon = atEndOfTurn(() => records.flush());
  const counts = new Map<string, number>();

  listen(nats, WORDS_SUBJECT, (payload) => {
    input.read(payload);
    const { ids, values } = input;
    for (let i = 0; i < values.length; i++) {
      const word = values[i];
      counts.set(word, (counts.get(word) ?? 0) + 1);
      records.add(ids[3 * i], ids[3 * i + 1], ids[3 * i + 2]);
    }
    flushSoon();
  });
  return {
    finish: () => ({ counted: [...counts.values()].reduce((sum, count) => sum + count, 0), distinct: counts.size }),
  };
}

function startAcker(nats: NatsConnection): Role {
  const send = sendTo(nats, DONE_SUBJECT);
  const low = new Uint32Array(MAX_PENDING);
  const high = new Uint32Array(MAX_PENDING);
  const done = new Uint32Array(MAX_PENDING);
  let doneLength = 0;
  let completed = 0;
  const flushSoon = atEndOfTurn(() => {
    if (doneLength === 0) return;
    send(new Uint8Array(done.slice(0, doneLength).buffer));
    doneLength = 0;
  });

  listen(nats, RECORDS_SUBJECT, (payload) => {
    const records = numbersOf(payload);
    for (let i = 0; i < records.length; i += 3) {
      const slot = records[i] & SLOT_MASK;
      low[slot] ^= records[i + 1];
      high[slot] ^= records[i + 2];
      // back at zero after a record: all edges of the root were seen twice
      if (low[slot] === 0 && high[slot] === 0) {
        done[doneLength++] = records[i];
        completed += 1;
      }
    }
    flushSoon();
  });
  return { finish: () => ({ completed }) };
}

function sendTo(nats: NatsConnection, subject: string): Send {
  return (payload) => nats.publish(subject, payload);
}

function listen(nats: NatsConnection, subject: string, handler: (payload: Uint8Array) => void): void {
  nats.subscribe(subject, {
    callback(error, message) {
      if (error) throw error;
      handler(message.data);
    },
  });
}

/** One run of `action` after everything that waits on the sockets now has been handled. */
function atEndOfTurn(action: () => void): () => void {
  let scheduled = false;
  const run = () => {
    scheduled = false;
    action();
  };
  return () => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(run);
  };
}

const [name = '', progressFile = ''] = process.argv.slice(2);
process.title = `limit word-count ${name}`;
const nats = await connect({ servers: process.env.NATS_URL, noEcho: true });
const role = await roles[name](nats, progressFile);
await nats.flush();
console.log('ready');
process.once('SIGTERM', async () => {
  console.log(JSON.stringify(await role.finish()));
  process.exit(0);
});
// The harness holds the other end: when it is gone, however it went, so is this process.
process.stdin.on('close', () => process.exit(1)).resume();
