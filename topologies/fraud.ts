/**
 * Card transactions against the profiles of their cards; suspicious ones into a JetStream stream, milliseconds later:
 *
 *     squall run topologies/fraud.ts --set rate=1000 --set seconds=10
 *
 * Transactions are generated: `rate` a second, each at its due time, however the run is doing. The profiles come from the
 * same spout. A join task holds the profile of each of its cards without acking it, and an alert is anchored to both,
 * transaction and profile. When a join dies, Squall sends again what it held: its successor has its profiles back.
 */
import { type BoltComponent, defineBolt, defineSpout, type Tuple, t, topology } from 'squall';
import { jetStreamSink } from 'squall/bolts';

const COUNTRIES = ['DE', 'FR', 'GB', 'US', 'JP', 'BR', 'IN', 'ZA'];
/** deviations from the card's mean that are suspicious, and what a foreign country adds to them */
const SUSPICIOUS = 5;
const ABROAD = 1.5;
/** Emits per `next`: a spout that is behind still lets acks in between. */
const EMITS_PER_NEXT = 256;
/** Transactions under way; 0.7 s at Visa's peak. More would not make it faster, only later. */
const MOST_IN_FLIGHT = 32_768;
/** Positions wait behind a profile that is held; a ledger lets a million wait, 20 s at the peak. */
const LONGEST_LEASE_MS = 10_000;
/** A ledger has room for half a million; the transactions have theirs beside it. */
const MOST_CARDS = 400_000;

const TOOK_UP_TO_MS = 2000;
const P999_EVERY = 50_000;

export interface Profile {
  readonly card: number;
  /** of the natural logarithms of the amounts in cents */
  readonly mean: number;
  readonly deviation: number;
  readonly country: string;
}

export interface Transaction {
  readonly n: number;
  readonly card: number;
  readonly cents: number;
  readonly country: string;
}

/** Mulberry32 (Tommy Ettinger, 2017), of two numbers: the same ones always give the same. */
function randomOf(seed: number, n: number): () => number {
  let state = Math.imul(n + 1, 0x9e3779b9) ^ Math.imul(seed + 1, 0x85ebca6b);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Profiles are numbered behind all transactions, so that they have random numbers of their own. */
const PROFILES_FROM = 0x4000_0000;

export function profileOf(card: number, seed: number): Profile {
  const random = randomOf(seed, PROFILES_FROM + card);
  return {
    card,
    mean: Math.log(2000) + 2 * random(),
    deviation: 0.2 + 0.3 * random(),
    country: COUNTRIES[Math.floor(random() * COUNTRIES.length)],
  };
}

/** What is generated: a function of these and the number of a transaction, whoever computes it. */
export interface World {
  readonly seed: number;
  /** of the transactions that are not the holder's: one in so many */
  readonly fraudOneIn: number;
}

export function isFraud(n: number, { seed, fraudOneIn }: World): boolean {
  return randomOf(seed ^ 0x5bd1, n)() < 1 / fraudOneIn;
}

/** Transaction `n`. An honest one is at most 3.5 deviations from the mean of its card, and seldom abroad. */
export function transactionOf(n: number, world: World, profiles: readonly Profile[]): Transaction {
  const random = randomOf(world.seed, n);
  const { card, mean, deviation, country: home } = profiles[Math.floor(random() * profiles.length)];
  const fraud = isFraud(n, world);
  const abroad = random() < (fraud ? 0.5 : 0.02);
  // the sum of four uniform ones: nearly normal, and bounded
  const honest = (random() + random() + random() + random() - 2) * Math.sqrt(3);
  const deviations = fraud ? (abroad ? 4 : 6) + 2 * random() : honest;
  const country = abroad ? COUNTRIES[(COUNTRIES.indexOf(home) + 1) % COUNTRIES.length] : home;
  return { n, card, cents: Math.max(1, Math.round(Math.exp(mean + deviations * deviation))), country };
}

/** How unusual it is, in deviations. */
export function scoreOf(transaction: Omit<Transaction, 'n'>, profile: Omit<Profile, 'card'>): number {
  const away = transaction.country === profile.country ? 0 : ABROAD;
  return (Math.log(transaction.cents) - profile.mean) / profile.deviation + away;
}

interface Load extends World {
  readonly rate: number;
  readonly count: number;
  readonly cards: number;
  /** a join gives a profile back after so long, and gets it again at once */
  readonly leaseMs: number;
}

/** So many took at least as long. */
function slowest(took: Float64Array, many: number): number {
  let ms = took.length - 1;
  for (let seen = took[ms]; seen < many && ms > 0; seen += took[ms]) ms -= 1;
  return ms;
}

/**
 * A profile that came back is sent again while there are transactions: so it is always held or on its way, and nothing is
 * pending for longer than a lease. Once nothing is sent any more, at the end or in a drain, all come back and stay.
 */
const spout = (load: Load) => {
  const { rate, count, cards, leaseMs } = load;
  return defineSpout({
    output: { n: t.number, card: t.number, cents: t.number, country: t.string },
    streams: {
      profiles: { card: t.number, mean: t.number, deviation: t.number, country: t.string, leaseMs: t.number },
    },
    open({ position, now, metrics }) {
      const profiles = Array.from({ length: cards }, (_, card) => profileOf(card, load.seed));
      /** cards whose profile is with nobody */
      const due = profiles.map(({ card }) => card);
      const lent = new Uint8Array(cards);
      let n = Number(position ?? 0);
      let open = 0;
      /** the schedule: transaction `first` was due at `startMs` */
      let first = n;
      let startMs: number | undefined;
      const dueAt = (n: number): number => (startMs ?? 0) + ((n - first) * 1000) / rate;
      const complete = metrics.histogram('due-to-complete-ms');
      const stored = metrics.histogram('due-to-alert-stored-ms');
      /** how many took so many milliseconds, for the rarest thousandth; the last: longer */
      const took = new Float64Array(TOOK_UP_TO_MS + 1);
      const p999 = metrics.gauge('due-to-complete-p999-ms');
      let completed = 0;
      const over100 = metrics.counter('complete-after-100-ms');
      const over1000 = metrics.counter('complete-after-1-s');
      const fraudulent = metrics.counter('fraudulent');
      const closed = (id: string | number | bigint): boolean => {
        if (typeof id === 'number') {
          open -= 1;
          return true;
        }
        due.push(Number(id));
        return false;
      };
      return {
        activate() {
          // what was due during a pause is not: the time begins anew
          startMs = undefined;
        },
        next(out) {
          if (n >= count && open === 0) return 'done';
          if (due.length > 0) {
            const some = due.splice(-EMITS_PER_NEXT);
            for (const card of some) {
              // the first leases are of different lengths, so that they do not all end at once for ever
              const share = lent[card] === 0 ? (card + 1) / cards : 1;
              lent[card] = 1;
              out.emit(
                { ...profiles[card], leaseMs: Math.ceil(leaseMs * share) },
                // a name that stays the same: so do the ids of the alerts that hang on it
                { stream: 'profiles', id: String(card) },
              );
            }
            if (due.length > 0 && startMs === undefined) return undefined;
          }
          const time = now();
          if (startMs === undefined) {
            startMs = time;
            first = n;
          }
          const to = Math.min(
            count,
            n + EMITS_PER_NEXT,
            n + MOST_IN_FLIGHT - open,
            first + Math.floor(((time - startMs) * rate) / 1000) + 1,
          );
          if (n >= to) return 'idle';
          for (; n < to; n++) {
            out.emit({ ...transactionOf(n, load, profiles) }, { id: n, position: n + 1 });
            open += 1;
          }
          return undefined;
        },
        ack(id) {
          if (!closed(id)) return;
          const ms = Math.max(0, now() - dueAt(Number(id)));
          complete.record(ms);
          took[Math.min(TOOK_UP_TO_MS, Math.floor(ms))] += 1;
          completed += 1;
          if (completed % P999_EVERY === 0 || completed === count) p999.set(slowest(took, completed / 1000));
          if (ms > 100) over100.add();
          if (ms > 1000) over1000.add();
          if (isFraud(Number(id), load)) {
            stored.record(ms);
            fraudulent.add();
          }
        },
        fail: (id) => void closed(id),
      };
    },
  });
};

type Alert = { n: number; card: number; cents: number; country: string; score: number };
type ProfileFields = { card: number; mean: number; deviation: number; country: string; leaseMs: number };

const join = (tickEveryMs: number) =>
  defineBolt({
    inputs: {
      tx: { n: t.number, card: t.number, cents: t.number, country: t.string },
      profile: { card: t.number, mean: t.number, deviation: t.number, country: t.string, leaseMs: t.number },
    },
    output: { n: t.number, card: t.number, cents: t.number, country: t.string, score: t.number },
    ack: 'manual',
    // what it keeps is tuples that it has not acked: they come again
    keepsState: false,
    tickEveryMs,
    prepare({ now }) {
      const held = new Map<number, { readonly tuple: Tuple<ProfileFields, 'profile'>; readonly untilMs: number }>();
      /** what the profiles say that were held last */
      const known = new Map<number, ProfileFields>();
      /** transactions that need a profile which is still on its way: as many as are in flight at the most */
      const waiting = new Map<number, Tuple<Transaction, 'tx'>[]>();
      return {
        execute(tuple, out) {
          const alert = (
            tx: Tuple<Transaction, 'tx'>,
            profile: Tuple<ProfileFields, 'profile'>,
            score: number,
          ): void => {
            out.emit({ ...tx.values, score }, { anchors: [tx, profile] });
            out.ack(tx);
          };
          const { card } = tuple.values;
          if (tuple.input === 'tx') {
            const profile = known.get(card);
            const score = profile === undefined ? Number.NaN : scoreOf(tuple.values, profile);
            if (score <= SUSPICIOUS) return out.ack(tuple);
            const lease = held.get(card);
            if (lease !== undefined) return alert(tuple, lease.tuple, score);
            const others = waiting.get(card);
            if (others === undefined) waiting.set(card, [tuple]);
            else others.push(tuple);
            return;
          }
          const before = held.get(card);
          if (before !== undefined) out.ack(before.tuple);
          held.set(card, { tuple, untilMs: now() + tuple.values.leaseMs });
          known.set(card, tuple.values);
          for (const tx of waiting.get(card) ?? []) {
            const score = scoreOf(tx.values, tuple.values);
            if (score > SUSPICIOUS) alert(tx, tuple, score);
            else out.ack(tx);
          }
          waiting.delete(card);
        },
        tick(out) {
          const time = now();
          for (const [card, { tuple, untilMs }] of held) {
            if (untilMs > time) continue;
            held.delete(card);
            out.ack(tuple);
          }
        },
      };
    },
  });

/** With any sink. */
export const checked = (name: string, load: Load, joins: number, alerts: BoltComponent<Alert>) =>
  topology(name)
    .spout('cards', spout(load), { config: { maxSpoutPending: load.cards + MOST_IN_FLIGHT } })
    .bolt(
      'join',
      join(Math.max(10, Math.floor(load.leaseMs / 20))),
      (from) => ({
        tx: from.fields('cards', ['card']),
        profile: from.fields('cards', ['card'], { stream: 'profiles' }),
      }),
      { tasks: joins },
    )
    .bolt('alerts', alerts, (from) => from.shuffle('join'));

export default ({
  name = 'fraud',
  rate = '1000',
  seconds = '10',
  cards: cardCount = '10000',
  seed = '1',
  fraudOneIn = '5000',
  joins = '2',
  leaseMs = '5000',
  stream = 'FRAUD',
  subject = 'fraud.alerts',
} = {}) => {
  const load: Load = {
    rate: positive('rate', rate),
    count: Math.round(positive('rate', rate) * positive('seconds', seconds)),
    cards: positive('cards', cardCount),
    seed: Number(seed),
    fraudOneIn: positive('fraudOneIn', fraudOneIn),
    leaseMs: positive('leaseMs', leaseMs),
  };
  if (load.cards > MOST_CARDS) throw new Error(`cards: expected at most ${MOST_CARDS}, found ${cardCount}`);
  if (load.leaseMs > LONGEST_LEASE_MS)
    throw new Error(`leaseMs: expected at most ${LONGEST_LEASE_MS}, found ${leaseMs}`);
  const alerts = jetStreamSink<Alert>({ subject, make: { name: stream, subjects: [subject] } });
  return checked(name, load, Number(joins), alerts);
};

function positive(name: string, text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  throw new Error(`${name}: expected a number above 0, found '${text}'`);
}
