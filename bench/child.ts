import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';

/** What is kept of a child's output for its last words. */
const KEPT_CHARACTERS = 4000;
/** A child that was told to end has this long: Squall drains, at most for its message time-out of 30 s. */
const END_LIMIT_MS = 40_000;

const living = new Set<ChildProcess>();
// However the harness ends, nothing of it stays behind: Squall's workers and the nats-server's clients end by themselves.
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.on(signal, () => process.exit(code));

export interface Child {
  readonly pid: number;
  /** everything it has written to stdout */
  stdout(): string;
  /** resolves when stdout holds `text`; rejects when the child ends without */
  said(text: string): Promise<void>;
  /** rejects when the child ends before `end` was called */
  readonly broken: Promise<never>;
  /** SIGTERM, and SIGKILL when that does not help; resolves to the exit code, undefined after a kill */
  end(): Promise<number | undefined>;
}

/** A child whose stdin closes with the harness, and whose last words are in the error when it breaks. */
export function startChild(
  title: string,
  program: string,
  args: readonly string[],
  options: Pick<SpawnOptions, 'cwd' | 'env'> = {},
): Child {
  const child = spawn(program, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
  living.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-KEPT_CHARACTERS);
  });
  const closed = new Promise<{ code: number | undefined; why: string }>((resolve) => {
    child.once('error', (error) => resolve({ code: undefined, why: error.message }));
    child.once('close', (code, signal) => {
      living.delete(child);
      resolve({ code: code ?? undefined, why: signal ?? `exit code ${code}` });
    });
  });
  let ending = false;
  const broken = new Promise<never>((_, reject) => {
    closed.then(({ why }) => {
      if (!ending) reject(new Error(`${title} ended by itself: ${why}\n${(stderr + stdout).slice(-KEPT_CHARACTERS)}`));
    });
  });
  broken.catch(() => {}); // it may happen while nobody looks; whoever waits for it is told
  return {
    pid: child.pid ?? -1,
    stdout: () => stdout,
    said: (text) =>
      Promise.race([
        broken,
        new Promise<void>((resolve) => {
          const look = () => {
            if (!stdout.includes(text)) return;
            child.stdout.off('data', look);
            resolve();
          };
          child.stdout.on('data', look);
          look();
        }),
      ]),
    broken,
    async end() {
      ending = true;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), END_LIMIT_MS);
      const { code } = await closed;
      clearTimeout(timer);
      return code;
    },
  };
}
