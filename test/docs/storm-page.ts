/** `docs/coming-from-storm.md` as its tests read it: rows of its tables, and examples that can be run. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { tsImport } from 'tsx/esm/api';
import type { Topology } from '../../core/topology/draft.js';
import { blocksOf } from './blocks.js';
import { ROOT } from './installed.js';

const NAME = 'docs/coming-from-storm.md';

export const PAGE = readFileSync(join(ROOT, NAME), 'utf8');

export interface PageRow {
  readonly storm: string;
  readonly here: string;
}

/** The rows of the table under a heading. Throws where one has not two cells. */
export function rowsUnder(heading: string): readonly PageRow[] {
  const lines = PAGE.split('\n');
  const at = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading);
  if (at < 0) throw new Error(`${NAME} has no heading '${heading}'`);
  const length = lines.slice(at + 1).findIndex((line) => line.startsWith('#'));
  const section = lines.slice(at + 1, length < 0 ? undefined : at + 1 + length);
  const [, , ...rows] = section.filter((line) => line.startsWith('|'));
  return rows.map((line) => {
    const cells = line.split('|').map((cell) => cell.trim());
    if (cells.length !== 4 || cells[1] === '' || cells[2] === '') throw new Error(`${NAME}: not two cells: ${line}`);
    return { storm: cells[1], here: cells[2] };
  });
}

/** What stands between backticks. */
export function quotedIn(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, quoted]) => quoted);
}

/** The topologies that the page shows, in a folder within this package, where they find it by its name. */
export class Examples {
  readonly #folder = mkdtempSync(join(ROOT, 'dist', 'storm-'));

  constructor() {
    for (const { language, markers, text } of blocksOf(PAGE, NAME)) {
      if (language === 'ts') writeFileSync(join(this.#folder, markers.file), text);
    }
  }

  async topology(file: string): Promise<Topology> {
    const url = pathToFileURL(join(this.#folder, file)).href;
    const { default: exported } = (await tsImport(url, import.meta.url)) as { default: Topology };
    return exported;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
