import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkSink, checkSource } from '../../../core/testing/index.js';

const module = new URL('./components.js', import.meta.url);
const which = process.argv[2];
const count = Number(process.argv[3] ?? 1500);
const seed = process.argv[4] ? Number(process.argv[4]) : undefined;
const read = (p: string) => (existsSync(p) ? readFileSync(p, 'utf8').split('\n').slice(0, -1) : []);
const t0 = performance.now();
const log0 = (s: string) => console.log(((performance.now() - t0) / 1000).toFixed(2), s);
(globalThis as any).dbg = log0;
const SINKS: any = {
  linesOut: {
    prepare: (p: any) => ({ path: join(p.folder, 'o') }),
    read: (p: any) => read(join(p.folder, 'o')).map((l) => l.split('\t')[0]),
    ordered: true,
  },
  early: { prepare: (p: any) => ({ path: join(p.folder, 'o') }), read: (p: any) => read(join(p.folder, 'o')) },
  overtaking: {
    prepare: (p: any) => ({ path: join(p.folder, 'o') }),
    read: (p: any) => read(join(p.folder, 'o')),
    ordered: true,
  },
  rows: {
    prepare: (p: any) => ({ path: join(p.folder, 'o') }),
    read: (p: any) => read(join(p.folder, 'o')),
    values: 'rowOf',
    keyOf: (v: any) => String(v.id),
    idempotent: true,
  },
};
const { filesIn } = await import('./components.js');
for (const s of ['files', 'silent'])
  SINKS[s] = {
    idempotent: true,
    prepare: (p: any) => {
      mkdirSync(join(p.folder, 'd'));
      return { folder: join(p.folder, 'd') };
    },
    read: (p: any) => filesIn(join(p.folder, existsSync(join(p.folder, 'd')) ? 'd' : 'x')),
    outage: {
      begin: (p: any) => renameSync(join(p.folder, 'd'), join(p.folder, 'x')),
      end: (p: any) => renameSync(join(p.folder, 'x'), join(p.folder, 'd')),
    },
  };
try {
  if (SINKS[which])
    console.log(JSON.stringify(await checkSink({ module, sink: which, count, seed, ...SINKS[which] }), null, 1));
  else
    console.log(
      JSON.stringify(
        await checkSource({
          module,
          spout: which,
          count,
          seed,
          fill: ({ folder, count }) => {
            const keys = Array.from({ length: count }, (_, n) => `m${n}`);
            const path = join(folder, 'in.txt');
            writeFileSync(path, keys.map((k) => `${k}\n`).join(''));
            return { keys, parameters: { path } };
          },
          keyOf: (v) => String(v.line),
        }),
        null,
        1,
      ),
    );
} catch (e: any) {
  console.log(e.code, e.message);
}
console.log('took', performance.now() - t0);
