/** The process of a worker. Everything it needs comes by the pipe from its supervisor; nothing secret by argv. */
import { randomFillSync } from 'node:crypto';
import { isSquallError, SquallError } from '../errors.js';
import type { ConnectOptions } from '../transport/connect-options.js';
import { NatsTransport, type NatsTransportOptions } from '../transport/nats.js';
import { connectBroker } from '../transport/nats-broker.js';
import type { TransportEvents } from '../transport/transport.js';
import { EdgeIds } from '../tuple/edge-ids.js';
import { Subjects } from '../wire/subjects.js';
import { realClock } from './clock.js';
import { collectGarbage } from './collect-garbage.js';
import { errorFacts } from './failure.js';
import { Heartbeat } from './heartbeat.js';
import { LinkWatch } from './link-watch.js';
import { loadPlan } from './load-topology.js';
import { ProcessMeter } from './process-load.js';
import type { FromWorker, StartMessage, ToWorker } from './protocol.js';
import { SuspectFile } from './suspect-file.js';
import { Worker } from './worker.js';

/** The pipe to the supervisor that the heartbeat thread keeps: see `cluster/worker-process.ts`. */
const HEARTBEAT_FD = 4;
const STATS_EVERY_MS = 250;
/** The supervisor has this long to say that it was told to end as well. */
const TERM_AFTER_MS = 500;
/** A run that cannot start should say so soon; a first dial that failed is tried again as later ones are. */
const DIAL_WITHIN_MS = 5000;
const DIAL_AGAIN_MS = 250;
/** An orderly stop waits this long for what is still in the sockets. */
const DRAIN_MS = 2000;
/** The largest frame of records: 160 KiB of roots and 32 failures with their stacks. NATS' default is twice as much. */
const MIN_PAYLOAD_BYTES = 512 << 10;

const heartbeat = new Heartbeat(HEARTBEAT_FD, new URL('./heartbeat-thread.js', import.meta.url));
let worker: Worker | undefined;
/** its tasks are open: what fails from now on is no mistake at the start */
let ready = false;
/** the supervisor has said that the run drains or stops */
let ending = false;
let finish: () => Promise<void> = async () => {};

// Ctrl-C goes to the whole group; what it means is the supervisor's to say
process.on('SIGINT', () => {});
process.on('SIGHUP', () => {});
// so may SIGTERM, from a service manager; but one that is meant for this process alone ends it
process.once('SIGTERM', () => {
  setTimeout(() => {
    if (ending) process.on('SIGTERM', () => {});
    else process.kill(process.pid, 'SIGTERM');
  }, TERM_AFTER_MS);
});
process.on('disconnect', () => process.exit(1));
process.on('message', (message: ToWorker) => {
  handle(message).catch((error: unknown) => fatal(error, 'worker', !ready));
});

function send(message: FromWorker, then?: () => void): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => then?.());
  else then?.();
}

function fatal(error: unknown, where: string, starting: boolean): void {
  const facts = errorFacts(error);
  const code = (error as { code?: unknown })?.code;
  const stack = stackOf(error, facts.stack);
  const message: FromWorker = {
    type: 'fatal',
    error: {
      name: facts.name,
      message: facts.message,
      ...(stack === undefined ? {} : { stack }),
      ...(typeof code === 'string' ? { code } : {}),
    },
    where,
    starting,
  };
  send(message, () => process.exit(1));
}

/** Of what the component's own code threw. Our errors say in words what is wrong and where. */
function stackOf(error: unknown, stack: string | undefined): string | undefined {
  if (!isSquallError(error)) return stack;
  const { cause } = error;
  return cause === undefined || isSquallError(cause) ? undefined : errorFacts(cause).stack;
}

async function handle(message: ToWorker): Promise<void> {
  switch (message.type) {
    case 'start':
      return start(message);
    case 'peers':
      return worker?.peers(message.peers);
    case 'go':
      return worker?.go();
    case 'blocked':
      return worker?.blocked(message.task, message.blocked);
    case 'quarantine':
      return worker?.quarantine(message.id, message.hi, message.lo, message.failure);
    case 'letter-stored':
      return worker?.letterStored(message.number, message.error);
    case 'pause':
      return worker?.pause();
    case 'resume':
      return worker?.resume();
    case 'drain':
      ending = true;
      return worker?.drain();
    case 'report':
      return send({ type: 'stats', stats: worker?.stats() ?? [], round: message.round });
    case 'cycle':
      return worker?.cycle(message.cycle, message.step);
    case 'stop': {
      ending = true;
      const stats = (await worker?.stop()) ?? [];
      await Promise.race([finish(), new Promise((resolve) => setTimeout(resolve, DRAIN_MS))]);
      send({ type: 'stopped', stats }, () => process.exit(0));
    }
  }
}

/**
 * The supervisor was let in, so the server is there: one that cuts us off before we have shown who we are (a busy machine
 * may keep us from that for the two seconds it waits), or is about to be started again, is dialled again.
 */
async function dialled(options: NatsTransportOptions, events: TransportEvents): Promise<NatsTransport> {
  const deadline = performance.now() + DIAL_WITHIN_MS;
  for (;;) {
    try {
      return await NatsTransport.connect({ ...options, waitOnFirstConnect: false }, events);
    } catch (error) {
      const away = isSquallError(error) && error.code === 'ERR_SQUALL_NATS_UNREACHABLE';
      if (!away || performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, DIAL_AGAIN_MS));
    }
  }
}

async function start(message: StartMessage): Promise<void> {
  process.title = message.title;
  const plan = await loadPlan(message.file, message.settings, message.code);
  if (plan.hash !== message.hash) {
    throw new SquallError(
      'ERR_SQUALL_TOPOLOGY_CHANGED',
      `${message.file} has changed since the run started: this worker built another topology than the running one. ` +
        'Put the file back, or stop the run and start it again.',
      { facts: { file: message.file, expected: message.hash, found: plan.hash } },
    );
  }
  const subjects = new Subjects(plan.name, message.token);
  const watches: { data?: LinkWatch; control?: LinkWatch } = {};
  const connect = async (role: 'data' | 'control'): Promise<NatsTransport> => {
    let watch: LinkWatch | undefined;
    const events: TransportEvents = {
      onDown: (why) => {
        watch?.down();
        send({ type: 'link', up: false, why: `${role}: ${why}` });
      },
      onUp: () => {
        watch?.up();
        send({ type: 'link', up: true, why: role });
        worker?.linkUp();
      },
      onError: (error) => send({ type: 'warn', message: `${role} connection: ${error.message}` }),
      onClosed: (error) => {
        if (error !== undefined) fatal(error, `${role} connection`, false);
      },
    };
    const options = { ...message.connection, name: `squall:${message.title.replace(/^squall (\S+) /, '$1/')}` };
    const transport = await dialled({ ...(options as unknown as NatsTransportOptions) }, events);
    // a connection that does not hear itself is lost, however healthy its socket looks
    watch = new LinkWatch(transport, `${subjects.metrics(message.worker)}.${role}`, realClock);
    watches[role] = watch;
    return transport;
  };
  const [data, control] = await Promise.all([connect('data'), connect('control')]);
  if (data.maxPayload < MIN_PAYLOAD_BYTES) {
    throw new SquallError(
      'ERR_SQUALL_MAX_PAYLOAD',
      `the NATS server takes payloads of ${data.maxPayload} bytes; Squall's own frames need ${MIN_PAYLOAD_BYTES}. Raise max_payload in its configuration.`,
      { facts: { maxPayload: data.maxPayload, needed: MIN_PAYLOAD_BYTES } },
    );
  }
  finish = async () => {
    await Promise.allSettled([data.drain(), control.drain()]);
  };
  worker = new Worker({
    plan,
    start: message,
    data,
    control,
    subjects,
    clock: realClock,
    edgeIds: new EdgeIds((pool) => void randomFillSync(pool)),
    random: Math.random,
    connectBroker: (given, { component, task }) => {
      const where = `${component}[${task}]`;
      const own = (given ?? message.connection) as ConnectOptions;
      return connectBroker(own, `squall:${plan.name}/${where}`, {
        onDown: (why) => send({ type: 'warn', message: `${where}: its own connection to NATS is down (${why})` }),
        onError: (error) => send({ type: 'warn', message: `${where}: its own connection to NATS: ${error.message}` }),
        onClosed: (error) => {
          if (error !== undefined) fatal(error, where, false);
        },
      });
    },
    suspects: new SuspectFile(message.suspectFile),
    collectGarbage,
    send,
    fatal,
    lapsed: () => heartbeat.lapsed,
  });
  await worker.start();
  const meter = new ProcessMeter();
  setInterval(
    () => send({ type: 'stats', stats: worker?.stats() ?? [], process: meter.take(watches.data, watches.control) }),
    STATS_EVERY_MS,
  );
  ready = true;
  send({ type: 'ready', hasEnd: worker.hasEnd() });
}
