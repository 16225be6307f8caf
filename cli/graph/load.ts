import type { TopologyPlan } from '../../core/topology/definition.js';
import type { CommandContext } from '../context.js';

/** The file's plan. What the file prints when it is imported goes to stderr: stdout is for what was asked. */
export async function loadForReading(
  file: string,
  settings: Readonly<Record<string, string>>,
  { io, engine }: CommandContext,
): Promise<TopologyPlan> {
  const loadPlan = await engine.loadPlan();
  const release = io.captureConsole((line) => io.stderr.write(`${line}\n`));
  try {
    return await loadPlan(file, settings);
  } finally {
    release();
  }
}
