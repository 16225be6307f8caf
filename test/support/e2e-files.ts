/** Text that the end-to-end tests read and write. */
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Workspace } from './e2e.js';

/** The package, as somebody would have installed it. */
const PACKAGE = fileURLToPath(new URL('../../..', import.meta.url));

export function jsonIn(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new Error(`Expected JSON, found "${text}"`);
  }
}

/** Writes a topology file into the test's folder, where `squall` is installed; returns its path. */
export function writeTopology(place: Workspace, file: string, text: string): string {
  installSquall(place);
  const path = place.path(file);
  const imports = [
    "import { defineBolt, defineSpout, spoutFrom, t, topology } from 'squall';",
    "import { linesSink } from 'squall/bolts';",
    "import { fileSpout } from 'squall/spouts';",
  ];
  writeFileSync(path, `${imports.join(' ')}\n${text}`);
  return path;
}

/** So that files in the test's folder find it by its name. */
export function installSquall(place: Workspace): void {
  const link = place.path('node_modules/squall');
  if (existsSync(link)) return;
  mkdirSync(place.path('node_modules'), { recursive: true });
  symlinkSync(PACKAGE, link, 'junction');
}
