/** The topology's settings: what `.config()` takes, completed and checked. */
import type { TopologyConfig } from './definition.js';
import { checkInteger, checkOptions, MAX_TIMER_MS, type Report } from './options.js';

/** What is left out takes its default. */
export type ConfigOptions = Partial<TopologyConfig>;

/** Range and default of each. */
export const SETTINGS = {
  // The ledger holds the bytes of each; it has 2²⁰ slots, and a tuple may hold up to three of them for a while.
  maxSpoutPending: { min: 1, max: 500_000, byDefault: 8192 },
  // The timing wheel turns in eighths; below 12 ms of it a busy event loop alone would look like loss.
  messageTimeoutMs: { min: 100, max: MAX_TIMER_MS, byDefault: 30_000 },
  lingerMs: { min: 0, max: 1000, byDefault: 1 },
} as const satisfies Record<keyof TopologyConfig, { min: number; max: number; byDefault: number }>;

/** `given` are the arguments of all `.config()` calls; a later one wins, key by key. */
export function completeConfig(given: readonly unknown[], report: Report): TopologyConfig {
  const known = Object.keys(SETTINGS);
  const merged: Record<string, unknown> = {};
  for (const options of given) {
    for (const [key, value] of Object.entries(checkOptions(options, known, 'config', report))) {
      if (value !== undefined) merged[key] = value;
    }
  }
  const setting = (name: keyof TopologyConfig) =>
    checkInteger(merged[name], SETTINGS[name], SETTINGS[name].byDefault, `config.${name}`, report);
  return Object.freeze({
    maxSpoutPending: setting('maxSpoutPending'),
    messageTimeoutMs: setting('messageTimeoutMs'),
    lingerMs: setting('lingerMs'),
  });
}
