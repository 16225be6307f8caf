/**
 * A folder of logins (`squall permissions FILE --logins DIR`): an nkey seed for each user of a topology's runs, and the
 * record of what they may do. Only its owner may read it.
 */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SquallError } from '../errors.js';
import type { TopologyPlan } from '../topology/definition.js';
import type { ConnectOptions } from '../transport/connect-options.js';
import { newUser, publicKeyIn } from '../transport/nkeys.js';
import type { WorkerPlace } from './assignment.js';
import {
  inboxPrefixOf,
  OPERATOR,
  type PermissionOptions,
  permissionsOf,
  SUPERVISOR,
  type UserRights,
  workerUser,
} from './permissions.js';

const RECORD = 'logins.json';

interface LoginsRecord {
  readonly topology: string;
  readonly workers: 'task' | number;
  readonly ackers: number;
  readonly jetstream: boolean;
  /** of all users' rights */
  readonly rights: string;
}

/** Makes what is missing in the folder, and keeps the seeds that are there. The public keys, by the user's name. */
export function makeLogins(
  folder: string,
  topology: string,
  users: readonly UserRights[],
  { workers, ackers, jetstream }: PermissionOptions,
): ReadonlyMap<string, string> {
  const path = resolve(folder);
  const before = readRecord(path);
  if (before !== undefined && before.topology !== topology) {
    throw wrong(path, `hold the users of '${before.topology}', not of '${topology}': give each topology a folder`);
  }
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    chmodSync(path, 0o700);
    const keys = new Map(users.map(({ name }) => [name, seedOf(seedFile(path, name))]));
    const record: LoginsRecord = { topology, workers, ackers, jetstream, rights: digest(users) };
    writeSecret(join(path, RECORD), JSON.stringify(record));
    return keys;
  } catch (error) {
    if (error instanceof SquallError) throw error;
    throw new SquallError('ERR_SQUALL_LOGINS', `the logins cannot be written: ${(error as Error).message}`, {
      facts: { folder: path },
      cause: error,
    });
  }
}

/** Who logs in as whom. */
export interface Logins {
  readonly supervisor: ConnectOptions;
  worker(place: WorkerPlace): ConnectOptions;
}

/** Throws ERR_SQUALL_LOGINS where the server has been told other rights than this run needs. */
export function loginsOfRun(
  folder: string,
  plan: TopologyPlan,
  options: PermissionOptions,
  server: ConnectOptions,
): Logins {
  const path = resolve(folder);
  const record = recordIn(path);
  if (record.topology !== plan.name) {
    throw wrong(path, `hold the users of '${record.topology}', and this is '${plan.name}'`);
  }
  const made = ({ workers, ackers, jetstream }: PermissionOptions): string =>
    `--workers ${workers} --ackers ${ackers}${jetstream ? '' : ' --no-jetstream'}`;
  if (made(record) !== made(options)) {
    throw wrong(path, `were made for ${made(record)}, and this run is to have ${made(options)}`);
  }
  if (record.rights !== digest(permissionsOf(plan, options))) {
    throw wrong(path, 'were made for other subjects than this topology has now');
  }
  return {
    supervisor: loggedIn(server, path, plan.name, SUPERVISOR),
    worker: (place) => loggedIn(server, path, plan.name, workerUser(place, options.workers === 'task')),
  };
}

/** For the commands that look at runs. Throws ERR_SQUALL_LOGINS. */
export function operatorLogin(folder: string, server: ConnectOptions): ConnectOptions {
  const path = resolve(folder);
  return loggedIn(server, path, recordIn(path).topology, OPERATOR);
}

function loggedIn(server: ConnectOptions, path: string, topology: string, user: string): ConnectOptions {
  const credentials = { kind: 'nkey', file: seedFile(path, user) } as const;
  return { ...server, credentials, inboxPrefix: inboxPrefixOf(topology, user) };
}

function seedFile(path: string, user: string): string {
  return join(path, `${user}.nk`);
}

function seedOf(file: string): string {
  if (existsSync(file)) return publicKeyIn(file);
  const { seed, publicKey } = newUser();
  writeSecret(file, `${seed}\n`);
  return publicKey;
}

function recordIn(path: string): LoginsRecord {
  const record = readRecord(path);
  if (record === undefined) throw wrong(path, `are not there: ${join(path, RECORD)} cannot be read`);
  return record;
}

function readRecord(path: string): LoginsRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(path, RECORD), 'utf8')) as LoginsRecord;
  } catch {
    return undefined;
  }
}

/** A file is complete before it has its name. */
function writeSecret(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, file);
}

function digest(users: readonly UserRights[]): string {
  const rights = users.map(({ name, publish, subscribe }) => [name, publish, subscribe]);
  return createHash('sha256').update(JSON.stringify(rights)).digest('hex');
}

function wrong(path: string, why: string): SquallError {
  return new SquallError(
    'ERR_SQUALL_LOGINS',
    `the logins in ${path} ${why}. Make them with squall permissions FILE --logins DIR, with the same --set, ` +
      '--workers and --ackers as the run, and give the server what it prints',
    { facts: { folder: path } },
  );
}
