/** Is everything there that a run needs? Each finding is a line for people; none of them holds a secret. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, constants, mkdtemp, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type ConnectOptions, masked } from '../transport/connect-options.js';
import { NatsTransport } from '../transport/nats.js';
import { atLeast } from '../transport/nats-version.js';
import { probeServer, type ServerInfo } from '../transport/probe.js';
import { DOCTOR_SUBJECT, SUBJECT_PREFIX } from '../wire/subjects.js';
import { type ControlAccess, ControlClient } from './control-client.js';
import { checkClock } from './doctor-clock.js';
import { checkJetStream } from './doctor-jetstream.js';
import { startEmbeddedNats } from './nats-server.js';
import { findNatsServer } from './nats-server-find.js';
import { runningServer } from './running-server.js';
import { StateFolder } from './state-folder.js';

export interface Finding {
  readonly check:
    | 'node'
    | 'state'
    | 'nats-server'
    | 'reachable'
    | 'version'
    | 'max-payload'
    | 'subjects'
    | 'round-trip'
    | 'clock'
    | 'jetstream'
    | 'runs';
  /** ok; note: it works, and something is worth knowing; bad: a run will fail */
  readonly state: 'ok' | 'note' | 'bad';
  /** what was found, and what to do where it is not as it should be */
  readonly text: string;
}

const OLDEST_NODE = '20.19.0';
/** Frames aim at 256 KiB, and have a header. */
const ENOUGH_PAYLOAD_BYTES = 320 * 1024;
/** Dead letters, positions and replay logs of a busy run. */
const ENOUGH_DISK_BYTES = 1024 ** 3;
const TRIPS = 21;

/** Never rejects. Without a server, and with no run that has one up, it starts one for the time of the checks. */
export async function examine({ state, nats }: ControlAccess): Promise<Finding[]> {
  const folder = new StateFolder(state);
  const findings = [checkNode(), await checkState(folder)];
  const given = nats ?? runningServer(folder);
  if (given !== undefined) {
    findings.push(...(await checkServer(given)));
    // Else it would be the same refusal once more.
    const reaches = findings.some(({ check, state: found }) => check === 'subjects' && found === 'ok');
    return reaches ? [...findings, await checkRuns({ state, nats: given })] : findings;
  }

  let binary: string;
  try {
    binary = await findNatsServer({ fetch: false });
    const { stdout } = await promisify(execFile)(binary, ['--version']);
    const text = `${binary}, ${stdout.trim().replace(/^nats-server: /, '')}: a run without --nats starts it`;
    findings.push({ check: 'nats-server', state: 'ok', text });
  } catch (error) {
    return [...findings, bad('nats-server', error)];
  }
  const dir = await mkdtemp(join(tmpdir(), 'squall-doctor-'));
  try {
    const token = randomBytes(24).toString('base64url');
    const server = await startEmbeddedNats({ binary, dir, token });
    try {
      findings.push(...(await checkServer({ servers: [server.url], credentials: { kind: 'token', token } })));
    } finally {
      await server.stop();
    }
  } catch (error) {
    findings.push(bad('nats-server', error));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
  return [
    ...findings,
    { check: 'runs', state: 'ok', text: `no run is under way over the state folder ${folder.path}` },
  ];
}

function checkNode(): Finding {
  const { node } = process.versions;
  if (atLeast(node, OLDEST_NODE)) return { check: 'node', state: 'ok', text: `Node ${node}` };
  return { check: 'node', state: 'bad', text: `expected Node ${OLDEST_NODE} or newer, found ${node}: update it` };
}

async function checkState(folder: StateFolder): Promise<Finding> {
  const { path } = folder;
  try {
    let existing = path;
    let isThere = true;
    for (;;) {
      const found = await stat(existing).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT' || existing === dirname(existing)) throw error;
      });
      if (found?.isDirectory()) break;
      if (found !== undefined) throw new Error(`${existing} is no folder`);
      existing = dirname(existing);
      isThere = false;
    }
    await access(existing, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(existing);
    const free = `${((bavail * bsize) / 1e9).toFixed(1)} GB free`;
    if (bavail === 0) throw new Error(`no room is left on ${existing}`);
    if (bavail * bsize < ENOUGH_DISK_BYTES) {
      return {
        check: 'state',
        state: 'note',
        text: `${path}: only ${free}; give it more room, or another with --state DIR`,
      };
    }
    const holder = folder.holder();
    const use = holder === undefined ? 'no run uses it' : `in use by the run of process ${holder}`;
    return { check: 'state', state: 'ok', text: `${path} ${isThere ? 'is writable' : 'can be made'}, ${free}; ${use}` };
  } catch (error) {
    const text = `the state folder ${path} cannot be written: ${(error as Error).message}; correct it, or give another with --state DIR`;
    return { check: 'state', state: 'bad', text };
  }
}

/** Each check is of use only where those before it were passed. */
async function checkServer(options: ConnectOptions): Promise<Finding[]> {
  let server: ServerInfo;
  try {
    server = await probeServer(options, { jetstream: false }, { onError() {} });
  } catch (error) {
    return [bad('reachable', error)];
  }
  const { version, name, maxPayload } = server;
  const findings: Finding[] = [
    { check: 'reachable', state: 'ok', text: `${masked(options)} answers and lets us in (server ${name})` },
    { check: 'version', state: 'ok', text: `NATS ${version}` },
  ];
  const size = `max_payload is ${Math.round(maxPayload / 1024)} KiB`;
  findings.push(
    maxPayload >= ENOUGH_PAYLOAD_BYTES
      ? { check: 'max-payload', state: 'ok', text: size }
      : {
          check: 'max-payload',
          state: 'note',
          text: `${size}: frames of 256 KiB do not fit, and no tuple may be larger; raise it to 1MB in the server's configuration`,
        },
  );
  const refused: Error[] = [];
  let transport: NatsTransport;
  try {
    transport = await NatsTransport.connect(
      { ...options, name: 'squall:doctor', waitOnFirstConnect: false },
      { onError: (error) => void refused.push(error) },
    );
  } catch (error) {
    return [...findings, bad('reachable', error)];
  }
  try {
    const heard = await echo(transport, () => refused[0]);
    if (heard instanceof Error) findings.push(bad('subjects', heard));
    else findings.push({ check: 'subjects', state: 'ok', text: mayDo(options) });
    findings.push(await checkRoundTrip(transport), await checkClock(transport));
    findings.push(await checkJetStream(transport, options, refused));
  } catch (error) {
    findings.push(bad('reachable', error));
  } finally {
    await transport.close();
  }
  return findings;
}

/** What the echo has shown. Of a folder of logins each has rights of its own, which end with its topology. */
function mayDo({ inboxPrefix }: ConnectOptions): string {
  return inboxPrefix === undefined
    ? `may publish and subscribe under ${SUBJECT_PREFIX}.>`
    : `a message to ${DOCTOR_SUBJECT} comes back; the other rights are those of the topology's logins`;
}

/** A message to oneself, on subjects as a run has them. */
async function echo(transport: NatsTransport, refused: () => Error | undefined): Promise<Error | undefined> {
  const subject = `${DOCTOR_SUBJECT}.${randomBytes(8).toString('hex')}`;
  let heard = false;
  const subscription = transport.subscribe(`${DOCTOR_SUBJECT}.*`, (_bytes, on) => {
    heard ||= on === subject;
  });
  await transport.flush();
  transport.publish(subject, new Uint8Array(1));
  // The second answer comes after what the server has said about the message.
  await transport.flush();
  await transport.flush();
  subscription.unsubscribe();
  if (refused() !== undefined || heard) return refused();
  return new Error(`a message to ${DOCTOR_SUBJECT} did not come back: allow ${SUBJECT_PREFIX}.> to this user`);
}

async function checkRoundTrip(transport: NatsTransport): Promise<Finding> {
  const trips: number[] = [];
  for (let trip = 0; trip < TRIPS; trip++) {
    const startedAt = performance.now();
    await transport.flush();
    trips.push(performance.now() - startedAt);
  }
  const p50 = trips.sort((a, b) => a - b)[TRIPS >> 1];
  return { check: 'round-trip', state: 'ok', text: `round trip to the server ${p50.toFixed(2)} ms (p50 of ${TRIPS})` };
}

async function checkRuns(given: ControlAccess): Promise<Finding> {
  try {
    const control = await ControlClient.open(given);
    const runs = (await control?.runs()) ?? [];
    await control?.close();
    const names = runs.map(({ topology, pid }) => `${topology} (process ${pid})`).join(', ');
    return { check: 'runs', state: 'ok', text: runs.length === 0 ? 'no run is under way' : `under way: ${names}` };
  } catch (error) {
    return { ...bad('runs', error), state: 'note' };
  }
}

function bad(check: Finding['check'], error: unknown): Finding {
  return { check, state: 'bad', text: (error as Error).message };
}
