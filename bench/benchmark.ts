/** What the harness knows of a benchmark: two ways of doing the same work, told apart only by their processes. */

/** Where a side finds what it needs and leaves what the harness reads. */
export interface SideSetting {
  readonly natsUrl: string;
  /** a folder of this run's own, removed afterwards */
  readonly folder: string;
  /** the side's spout writes here what it has completed: `progress.ts` */
  readonly progressFile: string;
  /** the side must not outlive this, whatever becomes of the harness */
  readonly limitMs: number;
}

export interface RunningSide {
  /** their descendants belong to the side as well */
  readonly pids: readonly number[];
  /** rejects, with the process's last words, when one of the side's processes ends before `stop` */
  readonly broken: Promise<never>;
  /** Ends the work in good order and checks that none was lost: rejects where the figures would not be worth printing. */
  stop(): Promise<Readonly<Record<string, unknown>>>;
}

export interface Side {
  readonly name: string;
  /** the guarantee in force, printed beside the figures */
  readonly guarantee: string;
  start(setting: SideSetting): Promise<RunningSide>;
}

export interface Benchmark {
  readonly name: string;
  readonly title: string;
  /** what `rate` counts, in the plural */
  readonly unit: string;
  /** the ratio is the first one's rate to the second one's */
  readonly sides: readonly [Side, Side];
}

export interface Timing {
  /** from the first completed tuple to the beginning of the window */
  readonly warmUpMs: number;
  /** the steady state that is measured */
  readonly windowMs: number;
}

/** One side, run once. */
export interface Measurement {
  /** completed per second in the window */
  readonly rate: number;
  /** over all processes of the side, the nats-server included; undefined where the system does not tell */
  readonly cpuSecondsPerMillion: number | undefined;
  readonly cpuSecondsPerMillionByProcess: Readonly<Record<string, number>>;
  readonly facts: Readonly<Record<string, unknown>>;
}
