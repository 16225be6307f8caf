/** Text that the end-to-end tests read and write. */
import { writeFileSync } from 'node:fs';
import type { Workspace } from './e2e.js';

const CORE = new URL('../../core/index.js', import.meta.url).href;
const BOLTS = new URL('../../bolts/index.js', import.meta.url).href;
const SPOUTS = new URL('../../spouts/index.js', import.meta.url).href;

export function jsonIn(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new Error(`Expected JSON, found "${text}"`);
  }
}

/** Writes a topology file into the test's folder, from where the package's name leads nowhere; returns its path. */
export function writeTopology(place: Workspace, file: string, text: string): string {
  const path = place.path(file);
  const imports = [
    `import { defineBolt, defineSpout, spoutFrom, t, topology } from ${JSON.stringify(CORE)};`,
    `import { linesSink } from ${JSON.stringify(BOLTS)};`,
    `import { fileSpout } from ${JSON.stringify(SPOUTS)};`,
  ];
  writeFileSync(path, `${imports.join(' ')}\n${text}`);
  return path;
}
