/**
 * What a source goes through in a round: three starts of one run. The first is cut off, the second drained, the third
 * runs to the end; and in each of them processes are killed, at moments that follow from the seed.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunResult } from '../../cluster/run-types.js';
import type { ConnectOptions } from '../../transport/connect-options.js';
import { closeGate, openGate } from './gate.js';
import { loadSpout } from './load-component.js';
import { type SourceSettings, settingsText } from './settings.js';
import { type KeyOf, type SourceEvidence, SourceNotes, type SourceStart } from './source-evidence.js';
import { type Kill, Stuck, Trial } from './trial.js';

const TOPOLOGY = new URL('./source-topology.js', import.meta.url);
/** In flight at most: so few that a fault in the middle of the messages finds most of them still to come. */
const MAX_PENDING = 128;
const PENDING_SHARE = 1 / 8;
/** A finite source has this long to say that it is over, once all has come through. */
const OVER_WITHIN_MS = 500;
const IDLE_FOR_MS = 800;
/** Ten samples a second, each task: who has had so much time and done nothing has nothing, redeliveries included. */
const QUIET_SAMPLES = 40;
const MAX_PAUSE_MS = 150;
/** So many later tuples complete while some are held: a position that ran ahead has moved by then. */
const LATER_ONES = 24;
/** At the end of the messages there may be none to hold. */
const HOLD_WITHIN_MS = 3000;

export interface SourceLife {
  readonly module: string;
  readonly spout: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly tasks: number;
  readonly keys: readonly string[];
  readonly rejects: number;
  readonly keyOf: KeyOf;
  readonly seed: number;
  readonly round: number;
  readonly random: () => number;
  readonly connection: ConnectOptions;
  readonly notes: string;
  readonly timeoutMs: number;
}

export async function sourceLife(life: SourceLife): Promise<SourceEvidence> {
  const { replay } = await loadSpout({ ...life, component: life.spout });
  const rig = new SourceRig(life);
  let stuck: string | undefined;
  try {
    await rig.cutOff();
    await rig.drained();
    await rig.toTheEnd();
  } catch (error) {
    if (!(error instanceof Stuck)) throw error;
    if (error.late) stuck = error.message;
    else rig.noteFailure();
  } finally {
    await rig.abort();
  }
  return rig.evidence(replay, stuck);
}

class SourceRig {
  readonly #life: SourceLife;
  readonly #notes: SourceNotes;
  readonly #deadlineAt: number;
  readonly #kills: Kill[] = [];
  readonly #starts: SourceStart[] = [];
  readonly #trials: Trial[] = [];
  #trial!: Trial;
  #faults = 0;
  #idleShare: number | undefined;

  constructor(life: SourceLife) {
    this.#life = life;
    this.#notes = new SourceNotes(life.notes, life.keyOf);
    this.#deadlineAt = performance.now() + life.timeoutMs;
  }

  /** The source dies, another part dies, there is a pause; then everything dies at once. */
  async cutOff(): Promise<void> {
    const { random } = this.#life;
    await this.#start();
    await this.#killAt(0.08 + 0.08 * random(), 'source');
    await this.#reached(0.2 + 0.05 * random());
    await this.#trial.pause(random() * MAX_PAUSE_MS);
    await this.#killAt(0.28 + 0.05 * random(), this.#part());
    await this.#reached(0.4 + 0.05 * random());
    await this.#holdSome();
    void this.#trial.run.kill();
    await this.#ended('cut-off');
  }

  async drained(): Promise<void> {
    const { random } = this.#life;
    await this.#start();
    await this.#killAt(0.5 + 0.05 * random(), random() < 0.5 ? 'source' : this.#part());
    await this.#reached(0.62 + 0.08 * random());
    void this.#trial.run.drain();
    await this.#ended('drained');
  }

  async toTheEnd(): Promise<void> {
    const { random, keys, rejects } = this.#life;
    await this.#start();
    await this.#killAt(0.78 + 0.08 * random(), 'source');
    const whole = (): boolean => {
      this.#notes.read();
      return (
        this.#notes.arrived.size >= keys.length && this.#notes.rejected.size >= rejects && this.#trial.pending === 0
      );
    };
    await this.#trial.until(() => this.#trial.ended || whole() || this.#quiet, 'all messages to come through');
    const overAt = performance.now() + OVER_WITHIN_MS;
    await this.#trial.until(() => this.#trial.ended || performance.now() > overAt, 'the source to be over');
    if (!this.#trial.ended) {
      await this.#idles();
      void this.#trial.run.drain();
    }
    await this.#ended('ended');
  }

  /** Of a run that ended before its time. */
  noteFailure(): void {
    const error = this.#trial.failure;
    if (error !== undefined) this.#starts.push({ how: 'ended', status: 'failed', warnings: [], error });
  }

  async abort(): Promise<void> {
    await Promise.all(this.#trials.map((trial) => trial.abort()));
    this.#notes.read();
  }

  evidence(replay: 'squall' | 'source', stuck: string | undefined): SourceEvidence {
    const { keys, rejects, tasks } = this.#life;
    const { arrivals, acts } = this.#notes;
    return {
      keys,
      rejects,
      tasks,
      replay,
      arrivals,
      acts,
      letters: this.#trials.flatMap((trial) => trial.letters.map(({ id }) => id)),
      kills: this.#kills,
      starts: this.#starts,
      deaths: this.#trials.flatMap(({ deaths, lines }) =>
        deaths.filter((death) => / source\[/.test(death)).map((death) => [death, ...lines.slice(-3)].join(' | ')),
      ),
      stuck,
      idleShare: this.#idleShare,
    };
  }

  async #start(): Promise<void> {
    const { module, spout, parameters, tasks, keys, notes, seed, round, connection } = this.#life;
    openGate(notes);
    const settings: SourceSettings = {
      name: `check-${round}`,
      module,
      component: spout,
      parameters,
      tasks,
      folder: notes,
      start: this.#starts.length,
      seed,
      pending: Math.max(1, Math.min(MAX_PENDING, Math.ceil(keys.length * PENDING_SHARE))),
    };
    await Trial.begin(
      {
        file: TOPOLOGY,
        set: settingsText(settings),
        state: join(notes, 'state'),
        connection,
        deadlineAt: this.#deadlineAt,
      },
      (trial) => {
        this.#trial = trial;
        this.#trials.push(trial);
      },
    );
  }

  /** So large a share of the messages has come through, in this start or an earlier one. */
  #reached(share: number): Promise<void> {
    const what = `${Math.round(share * 100)} % of the messages to come through`;
    return this.#trial.until(() => {
      this.#notes.read();
      if (this.#notes.arrived.size >= share * this.#life.keys.length) return true;
      if (this.#quiet) throw new Stuck(`nothing came any more before ${what}`, false);
      return false;
    }, what);
  }

  /** The source is alive and nothing is on its way, and yet nothing comes. */
  get #quiet(): boolean {
    return this.#notes.quietFor > QUIET_SAMPLES * this.#life.tasks && this.#trial.pending === 0;
  }

  async #killAt(share: number, component: string): Promise<void> {
    await this.#reached(share);
    await this.#holdSome();
    const task = await this.#trial.kill(component, this.#life.random);
    this.#kills.push({ task, at: share });
    openGate(this.#life.notes);
  }

  /** Some are held and later ones have come through, as far as there are any: a good moment for a fault. */
  async #holdSome(): Promise<void> {
    this.#notes.read();
    const { held } = this.#notes;
    const giveUpAt = performance.now() + HOLD_WITHIN_MS;
    closeGate(this.#life.notes, this.#faults++);
    await this.#trial.until(() => {
      this.#notes.read();
      return this.#notes.held > held || performance.now() > giveUpAt;
    }, 'a tuple to be held');
    const { arrivals } = this.#notes;
    const enough = arrivals.length + LATER_ONES;
    await this.#trial.until(() => {
      this.#notes.read();
      return arrivals.length >= enough || performance.now() > giveUpAt;
    }, 'later tuples to come through');
  }

  /** Once in a start at most: a bolt that dies twice with the same tuple in its hands is taken to be killed by it. */
  #part(): string {
    return PARTS[Math.floor(this.#life.random() * PARTS.length)];
  }

  /** How much of a processor do the tasks of the source take, while they have nothing? */
  async #idles(): Promise<void> {
    this.#notes.read();
    const before = new Map([...this.#notes.usage].map(([life, samples]) => [life, samples.length]));
    await delay(IDLE_FOR_MS);
    this.#notes.read();
    const shares = [...this.#notes.usage].map(([life, samples]) => {
      const since = samples.slice(before.get(life) ?? 0);
      const [first, last] = [since.at(0), since.at(-1)];
      return first === undefined || last === undefined || last.atMs === first.atMs
        ? 0
        : (last.usedMs - first.usedMs) / (last.atMs - first.atMs);
    });
    this.#idleShare = Math.max(0, ...shares);
  }

  async #ended(how: SourceStart['how']): Promise<void> {
    const result: RunResult = await this.#trial.result();
    const { warnings, error } = result;
    const status = result.status !== 'stopped' ? result.status : result.drained === true ? 'drained' : 'undrained';
    if (error !== undefined) throw new Stuck(`the run failed: ${error.message}`, false);
    this.#starts.push({ how, status, warnings, error: undefined });
  }
}

const PARTS = ['middle', 'end', '__acker'] as const;
