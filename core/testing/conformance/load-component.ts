/** The component that is checked, from the module of its author; in the process that checks and in every worker. */
import { isSquallError, SquallError, shown } from '../../errors.js';
import { importFile } from '../../runtime/load-topology.js';
import { type BoltComponent, COMPONENT, isComponent, type SpoutComponent } from '../../topology/component.js';
import { isRecord } from '../../topology/options.js';

interface Source {
  readonly module: string;
  readonly component: string;
  readonly parameters: Readonly<Record<string, string>>;
}

export function loadSpout(source: Source): Promise<SpoutComponent> {
  return load(source, 'spout') as Promise<SpoutComponent>;
}

export function loadBolt(source: Source): Promise<BoltComponent> {
  return load(source, 'bolt') as Promise<BoltComponent>;
}

/** A function that the module exports. */
export async function loadFunction(module: string, name: string): Promise<(n: number) => unknown> {
  const found = (await exportsOf(module))[name];
  if (typeof found !== 'function')
    throw wrong(`${module}: expected an exported function '${name}', found ${shown(found)}`);
  return found as (n: number) => unknown;
}

async function load({ module, component, parameters }: Source, kind: 'spout' | 'bolt'): Promise<unknown> {
  const all = await exportsOf(module);
  const exported = all[component];
  const made = typeof exported === 'function' ? await exported(parameters) : exported;
  if (!isComponent(made) || made.kind !== kind) {
    const names = Object.keys(all).join(', ') || 'nothing';
    throw wrong(
      `${module}: expected '${component}' to be a ${kind}, or a function from parameters to one, found ${isComponent(made) ? `a ${made.kind}` : shown(made)}; it exports ${names}`,
    );
  }
  const { mistakes } = made[COMPONENT];
  if (mistakes.length > 0) throw wrong(`${component}: ${mistakes.join('; ')}`);
  return made;
}

async function exportsOf(module: string): Promise<Readonly<Record<string, unknown>>> {
  let all: Readonly<Record<string, unknown>>;
  try {
    all = await importFile(module);
  } catch (cause) {
    if (isSquallError(cause)) throw cause;
    throw new SquallError('ERR_SQUALL_USAGE', `${module} cannot be loaded: ${(cause as Error).message}`, { cause });
  }
  // a CommonJS module that stands for an ES module
  return isRecord(all.default) && all.default.__esModule === true ? all.default : all;
}

function wrong(message: string): SquallError {
  return new SquallError('ERR_SQUALL_USAGE', message);
}
