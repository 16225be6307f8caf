/**
 * What a sink goes through in a round: a calm run where its order is looked at, if it claims one; then two starts of one
 * run, the first of which is cut off. Trees are replayed all the time, and processes are killed at moments that follow
 * from the seed.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectOptions } from '../../transport/connect-options.js';
import { loadBolt } from './load-component.js';
import { type SinkSettings, settingsText } from './settings.js';
import { type KillReading, type OutageEvidence, type SinkEvidence, SinkNotes } from './sink-evidence.js';
import { tupleOf } from './sink-tuples.js';
import { type Kill, Stuck, Trial } from './trial.js';

const TOPOLOGY = new URL('./sink-topology.js', import.meta.url);
const CALM_COUNT = 200;
/** A store is broken until a tuple has failed, and then so long that it fails again. */
const OUTAGE_MS = 300;
/** A sink may wait for its store, and fail nothing. */
const MAX_OUTAGE_MS = 5000;

export interface SinkLife {
  readonly module: string;
  readonly sink: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly values: string | undefined;
  readonly keyOf: (values: Record<string, unknown>) => string;
  readonly tasks: number;
  readonly count: number;
  readonly idempotent: boolean;
  readonly ordered: boolean;
  read(): Promise<readonly string[]>;
  readonly outage: { begin(): unknown; end(): unknown } | undefined;
  readonly seed: number;
  readonly round: number;
  readonly random: () => number;
  readonly connection: ConnectOptions;
  readonly notes: string;
  readonly timeoutMs: number;
}

export async function sinkLife(life: SinkLife): Promise<SinkEvidence> {
  const component = { module: life.module, component: life.sink, parameters: life.parameters, values: life.values };
  const { values } = await tupleOf(component, await loadBolt(component));
  const keys = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, at) => life.keyOf(values(from + at)));
  const calm = keys(life.count, life.count + CALM_COUNT);
  const rig = new SinkRig(life, keys(0, life.count));
  let stuck: string | undefined;
  let order: SinkEvidence['order'];
  try {
    if (life.ordered) order = { sent: calm, stored: await rig.calm(life.count, CALM_COUNT) };
    await rig.cutOff();
    await rig.toTheEnd();
  } catch (error) {
    if (!(error instanceof Stuck)) throw error;
    if (error.late) stuck = `${error.message}${rig.lastError()}`;
    else rig.noteFailure();
  } finally {
    await rig.abort();
  }
  return rig.evidence(order, await life.read(), stuck);
}

class SinkRig {
  readonly #life: SinkLife;
  readonly #keys: readonly string[];
  readonly #notes: SinkNotes;
  readonly #deadlineAt: number;
  readonly #kills: Kill[] = [];
  readonly #readings: KillReading[] = [];
  readonly #trials: Trial[] = [];
  readonly #errors: string[] = [];
  readonly #warnings: string[] = [];
  #outage: OutageEvidence | undefined;
  #trial!: Trial;
  #starts = 0;

  constructor(life: SinkLife, keys: readonly string[]) {
    this.#life = life;
    this.#keys = keys;
    this.#notes = new SinkNotes(join(life.notes, 'spout'));
    this.#deadlineAt = performance.now() + life.timeoutMs;
  }

  /** Nothing fails and nobody is killed; what the store holds then, in its order. */
  async calm(from: number, count: number): Promise<readonly string[]> {
    await this.#start({ state: 'calm', from, to: from + count, spoils: false });
    await this.#ended();
    return this.#life.read();
  }

  async cutOff(): Promise<void> {
    const { random } = this.#life;
    await this.#startMain();
    await this.#killSinkAt(0.12 + 0.08 * random());
    await this.#killAt(0.3 + 0.06 * random(), '__acker');
    await this.#reached(0.42 + 0.06 * random());
    this.#notes.read();
    const acked = [...this.#notes.acked];
    await this.#trial.run.kill();
    await this.#look(acked);
  }

  async toTheEnd(): Promise<void> {
    const { random, outage } = this.#life;
    await this.#startMain();
    await this.#killAt(0.54 + 0.04 * random(), random() < 0.5 ? 'before' : 'messages');
    if (outage !== undefined) {
      await this.#reached(0.62 + 0.04 * random());
      await this.#breakStore(outage);
    }
    await this.#killSinkAt(0.74 + 0.1 * random());
    await this.#killAt(0.9, '__acker');
    await this.#ended();
  }

  /** Of a run that ended before its time. */
  noteFailure(): void {
    const error = this.#trial.failure;
    if (error !== undefined && !this.#errors.includes(error)) this.#errors.push(error);
  }

  async abort(): Promise<void> {
    await Promise.all(this.#trials.map((trial) => trial.abort()));
  }

  /** Of a tuple that the sink failed. */
  lastError(): string {
    const all = this.#trials.flatMap(({ replays }) => replays.filter(({ failure }) => failure.component === 'sink'));
    const message = all.at(-1)?.failure.error?.message;
    return message === undefined ? '' : `; the sink failed its tuples, the last with: ${message}`;
  }

  evidence(order: SinkEvidence['order'], stored: readonly string[], stuck: string | undefined): SinkEvidence {
    return {
      keys: this.#keys,
      idempotent: this.#life.idempotent,
      stored,
      readings: this.#readings,
      order,
      outage: this.#outage,
      kills: this.#kills,
      replays: this.#trials.reduce((sum, { replays }) => sum + replays.length, 0),
      deaths: this.#trials.flatMap(({ deaths, lines }) =>
        deaths.filter((death) => / sink\[/.test(death)).map((death) => [death, ...lines.slice(-3)].join(' | ')),
      ),
      errors: this.#errors,
      warnings: this.#warnings,
      stuck,
      cut: this.#readings.some(({ unreadable }) => unreadable.length > 0),
    };
  }

  #startMain(): Promise<void> {
    return this.#start({ state: 'state', from: 0, to: this.#life.count, spoils: true });
  }

  async #start({
    state,
    ...messages
  }: Pick<SinkSettings, 'from' | 'to' | 'spoils'> & { readonly state: string }): Promise<void> {
    const { module, sink, parameters, values, tasks, notes, seed, round, connection } = this.#life;
    const settings: SinkSettings = {
      name: `check-${round}`,
      module,
      component: sink,
      parameters,
      values,
      tasks,
      folder: notes,
      start: this.#starts++,
      seed,
      ...messages,
    };
    await Trial.begin(
      {
        file: TOPOLOGY,
        set: settingsText(settings),
        state: join(notes, state),
        connection,
        deadlineAt: this.#deadlineAt,
      },
      (trial) => {
        this.#trial = trial;
        this.#trials.push(trial);
      },
    );
  }

  /** So large a share of the messages is complete, in this start or an earlier one. */
  #reached(share: number): Promise<void> {
    const { count } = this.#life;
    return this.#trial.until(() => this.#complete() >= share * count, `${Math.round(share * 100)} % to be complete`);
  }

  #complete(): number {
    this.#notes.read();
    // those of the calm run are not counted
    let complete = 0;
    for (const n of this.#notes.acked) if (n < this.#life.count) complete += 1;
    return complete;
  }

  async #killAt(share: number, component: string): Promise<void> {
    await this.#reached(share);
    this.#kills.push({ task: await this.#trial.kill(component, this.#life.random), at: share });
  }

  /** What was acked up to the kill must be readable after it. */
  async #killSinkAt(share: number): Promise<void> {
    await this.#reached(share);
    // of that which is acked from here to the kill nothing is said
    const acked = [...this.#notes.acked];
    this.#kills.push({ task: await this.#trial.kill('sink', this.#life.random), at: share });
    await this.#look(acked);
  }

  async #look(acked: readonly number[]): Promise<void> {
    const stored = new Set(await this.#life.read());
    const keys = acked.filter((n) => n < this.#life.count).map((n) => this.#keys[n]);
    const unreadable = keys.filter((key) => !stored.has(key));
    this.#readings.push({ acked: keys.length, unreadable });
    // nothing that follows could mend it
    if (unreadable.length > 0) throw new Stuck('acked messages could not be read', false);
  }

  async #breakStore(outage: { begin(): unknown; end(): unknown }): Promise<void> {
    const { replays, deaths } = this.#trial;
    await outage.begin();
    const before = { replays: replays.length, deaths: sinkDeaths(deaths) };
    const errors = (): string[] =>
      replays
        .slice(before.replays)
        .filter(({ failure }) => failure.component === 'sink' && failure.reason === 'failed')
        .map(({ failure }) => failure.error?.message ?? '');
    const giveUpAt = performance.now() + MAX_OUTAGE_MS;
    try {
      await this.#trial.until(
        () => errors().length > 0 || this.#trial.ended || performance.now() > giveUpAt,
        'a tuple to fail',
      );
      await delay(OUTAGE_MS);
    } finally {
      await outage.end();
    }
    this.#outage = { errors: errors(), deaths: sinkDeaths(deaths) - before.deaths };
  }

  async #ended(): Promise<void> {
    const { error, warnings } = await this.#trial.result();
    this.#warnings.push(...warnings);
    if (error !== undefined) this.#errors.push(error.message);
  }
}

function sinkDeaths(deaths: readonly string[]): number {
  return deaths.filter((death) => / sink\[/.test(death)).length;
}
