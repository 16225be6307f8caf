/**
 * The least that each user of a run has to be allowed: one user for each worker process, one for the supervisor, one for
 * the commands that look at the run. `*` stands for what differs from start to start, the run's token and epochs; tasks
 * are named by number. Pure.
 */
import { DeadLetterStore } from '../inspect/dead-letter-store.js';
import { COMPONENT, isComponent } from '../topology/component.js';
import { ACKER_COMPONENT, type ComponentPlan, type TopologyPlan } from '../topology/definition.js';
import { DOCTOR_SUBJECT, SUBJECT_PREFIX, Subjects } from '../wire/subjects.js';
import { assign, type TaskPlace, type WorkerPlace } from './assignment.js';
import { controlSubject, replySubject } from './control-messages.js';
import { CLOCK_SUBJECT } from './doctor-clock.js';

export const SUPERVISOR = 'supervisor';
export const OPERATOR = 'operator';

/** Stands for any token where subjects are made. No token of a run has this form: they are 32 digits. */
const ANY = '_any_';
/** Stands for any epoch: none grows that large. */
const ANY_EPOCH = Number.MAX_SAFE_INTEGER;

export interface UserRights {
  /** `split-2`, `__acker-6`, `worker-0`, `supervisor`, `operator`: unique in a topology */
  readonly name: string;
  /** for people: whom it is for */
  readonly who: string;
  /** first tokens of its inbox, which no other user may hear */
  readonly inboxPrefix: string;
  /** what is to be added by hand */
  readonly notes: readonly string[];
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

export interface PermissionOptions {
  readonly ackers: number;
  readonly workers: 'task' | number;
  readonly jetstream: boolean;
}

/** All users of a topology's runs: of the workers in their order, then the supervisor and the operator. */
export function permissionsOf(plan: TopologyPlan, options: PermissionOptions): readonly UserRights[] {
  const { workers, ackers } = assign(plan, options.ackers, options.workers);
  const all = workers.map((place) => workerRights(plan, ackers, place, options.workers === 'task'));
  return [...all, supervisorRights(plan.name, options), operatorRights(plan.name, options)];
}

/** Where `user` of the topology hears answers to its own questions. */
export function inboxPrefixOf(topology: string, user: string): string {
  return `_SQUALL.${topology}.${user}`;
}

/** Name of the user that a worker of a run logs in as. */
export function workerUser({ worker, tasks }: WorkerPlace, ofItsOwn: boolean): string {
  return ofItsOwn ? `${tasks[0].component}-${tasks[0].task}` : `worker-${worker}`;
}

function workerRights(
  plan: TopologyPlan,
  ackers: readonly number[],
  place: WorkerPlace,
  ofItsOwn: boolean,
): UserRights {
  const subjects = new Subjects(plan.name, ANY);
  const user = new Collected(plan.name, workerUser(place, ofItsOwn));
  // what tasks of one process tell each other does not touch NATS
  const away = (tasks: readonly number[]): number[] =>
    tasks.filter((task) => !place.tasks.some((own) => own.task === task));
  for (const role of ['data', 'control']) user.both(`${subjects.metrics(place.worker)}.${role}`);
  user.both(subjects.everyone);
  for (const task of place.tasks) {
    if (task.component === ACKER_COMPONENT) ackerRights(user, subjects, plan, task, away);
    else taskRights(user, subjects, plan, task, ackers, away);
  }
  return user.done(`ps shows it as "${place.title}"`);
}

type Away = (tasks: readonly number[]) => number[];

function ackerRights(user: Collected, subjects: Subjects, plan: TopologyPlan, { task }: TaskPlace, away: Away): void {
  user.subscribe(subjects.acks(task, ANY_EPOCH));
  for (const other of away(plan.components.flatMap(tasksOf))) user.publish(subjects.credit(other));
  for (const other of away(plan.components.filter(startsTrees).flatMap(tasksOf)))
    user.publish(subjects.ledger(other, ANY_EPOCH));
}

function taskRights(
  user: Collected,
  subjects: Subjects,
  plan: TopologyPlan,
  { task, component: name }: TaskPlace,
  ackers: readonly number[],
  away: Away,
): void {
  const component = named(plan, name);
  const tasksNamed = (names: Iterable<string>): number[] =>
    away([...new Set(names)].flatMap((one) => tasksOf(named(plan, one))));
  if (component.definition.kind === 'bolt') user.subscribe(subjects.data(task, ANY_EPOCH));
  user.subscribe(subjects.ledger(task, ANY_EPOCH));
  user.subscribe(subjects.credit(task));
  for (const to of tasksNamed(component.outputs.map(({ target }) => target)))
    user.publish(subjects.data(to, ANY_EPOCH));
  for (const to of tasksNamed(component.inputs.map(({ source }) => source))) user.publish(subjects.credit(to));
  for (const acker of away(ackers)) user.publish(subjects.acks(acker, ANY_EPOCH));
  // it says what it holds to the ledgers of those whose trees reach it
  const roots = [...upstream(plan, name)].filter((one) => startsTrees(named(plan, one)));
  if (ackers.length > 0) for (const to of tasksNamed(roots)) user.publish(subjects.ledger(to, ANY_EPOCH));
  const rights = component.definition.rights?.({ topology: plan.name, component: name });
  for (const subject of rights?.publish ?? []) user.publish(subject);
  for (const subject of rights?.subscribe ?? []) user.subscribe(subject);
  if (rights?.requests === true) user.asks();
  if (rights?.unknown === true) user.note(`${name} publishes where a function says: allow it these subjects too`);
}

/** All components whose tuples lead to this one, through however many others; in a cycle it is one of them. */
function upstream(plan: TopologyPlan, component: string): ReadonlySet<string> {
  const found = new Set<string>();
  const look = [component];
  for (let name = look.pop(); name !== undefined; name = look.pop()) {
    for (const { source, target } of plan.edges) {
      if (target !== name || found.has(source)) continue;
      found.add(source);
      look.push(source);
    }
  }
  return found;
}

/** What is emitted in `tick` and `end` starts trees, as a spout does; where hooks cannot be seen, it may. */
function startsTrees({ definition }: ComponentPlan): boolean {
  const hooks = isComponent(definition) ? definition[COMPONENT].hooks : undefined;
  return definition.kind === 'spout' || hooks === undefined || hooks.includes('tick') || hooks.includes('end');
}

function named(plan: TopologyPlan, component: string): ComponentPlan {
  return plan.components.find(({ name }) => name === component) as ComponentPlan;
}

function tasksOf({ firstTask, tasks }: ComponentPlan): number[] {
  return Array.from({ length: tasks }, (_, index) => firstTask + index);
}

function supervisorRights(topology: string, { jetstream }: PermissionOptions): UserRights {
  const user = new Collected(topology, SUPERVISOR);
  for (const name of [undefined, topology]) {
    user.subscribe(controlSubject(name));
    user.publish(replySubject(name, ANY));
  }
  // asked before anything is started, also where the run is to do without
  user.asks();
  user.publish('$JS.API.INFO');
  if (jetstream) storesLetters(user, topology);
  return user.done('squall run');
}

function operatorRights(topology: string, { jetstream }: PermissionOptions): UserRights {
  const user = new Collected(topology, OPERATOR);
  for (const name of [undefined, topology]) {
    user.publish(controlSubject(name));
    user.subscribe(replySubject(name, ANY));
  }
  // squall doctor hears itself, and asks for the server's clock and JetStream's room
  user.both(`${DOCTOR_SUBJECT}.${ANY}`);
  user.asks();
  user.publish('$JS.API.INFO');
  user.publish(CLOCK_SUBJECT);
  if (jetstream) {
    // a run may have left letters in its state folder that had to wait for their stream
    storesLetters(user, topology);
    const { stream } = new DeadLetterStore(topology, NO_STREAMS, 0);
    user.publish(`$JS.API.STREAM.MSG.GET.${stream}`);
    user.publish(`$JS.API.STREAM.PURGE.${stream}`);
  }
  return user.done('squall list, top, doctor, pause, resume, drain, kill, dead');
}

function storesLetters(user: Collected, topology: string): void {
  const { stream, subject } = new DeadLetterStore(topology, NO_STREAMS, 0);
  for (const action of ['INFO', 'CREATE', 'UPDATE']) user.publish(`$JS.API.STREAM.${action}.${stream}`);
  user.publish(subject);
}

/** Only the names of the store are asked for. */
const NO_STREAMS = undefined as never;

class Collected {
  readonly #topology: string;
  readonly #name: string;
  readonly #notes = new Set<string>();
  readonly #publish = new Set<string>();
  readonly #subscribe = new Set<string>();

  constructor(topology: string, name: string) {
    this.#topology = topology;
    this.#name = name;
  }

  publish(subject: string): void {
    this.#publish.add(pattern(subject));
  }
  subscribe(subject: string): void {
    this.#subscribe.add(pattern(subject));
  }
  note(what: string): void {
    this.#notes.add(what);
  }
  both(subject: string): void {
    this.publish(subject);
    this.subscribe(subject);
  }
  /** The client hears answers on two random tokens behind the prefix. */
  asks(): void {
    this.subscribe(`${inboxPrefixOf(this.#topology, this.#name)}.*.*`);
  }

  done(who: string): UserRights {
    return {
      name: this.#name,
      who,
      inboxPrefix: inboxPrefixOf(this.#topology, this.#name),
      notes: [...this.#notes],
      publish: [...this.#publish].sort(bySubject),
      subscribe: [...this.#subscribe].sort(bySubject),
    };
  }
}

function pattern(subject: string): string {
  const any = new Set([ANY, String(ANY_EPOCH)]);
  return subject
    .split('.')
    .map((token) => (any.has(token) ? '*' : token))
    .join('.');
}

/** Task 10 after task 2. */
const ORDER = new Intl.Collator('en', { numeric: true });
function bySubject(one: string, other: string): number {
  const own = (subject: string): number => (subject.startsWith(`${SUBJECT_PREFIX}.`) ? 0 : 1);
  return own(one) - own(other) || ORDER.compare(one, other);
}
