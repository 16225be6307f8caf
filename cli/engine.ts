/** The parts of the framework that commands use, each loaded when a command needs it: `--help` waits for none. */
import type { ControlClient } from '../core/cluster/control-client.js';
import type { openDeadLetters } from '../core/cluster/dead-letters.js';
import type { examine } from '../core/cluster/doctor.js';
import type { run } from '../core/cluster/run.js';
import type { loadPlan } from '../core/runtime/load-topology.js';

export interface Engine {
  run(): Promise<typeof run>;
  loadPlan(): Promise<typeof loadPlan>;
  openDeadLetters(): Promise<typeof openDeadLetters>;
  openControl(): Promise<typeof ControlClient.open>;
  examine(): Promise<typeof examine>;
}

export const engine: Engine = {
  run: async () => (await import('../core/cluster/run.js')).run,
  loadPlan: async () => (await import('../core/runtime/load-topology.js')).loadPlan,
  openDeadLetters: async () => (await import('../core/cluster/dead-letters.js')).openDeadLetters,
  openControl: async () => (await import('../core/cluster/control-client.js')).ControlClient.open,
  examine: async () => (await import('../core/cluster/doctor.js')).examine,
};
