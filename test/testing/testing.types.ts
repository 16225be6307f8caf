/**
 * The types of the test kit, checked by compiling this file: what must compile, and one `@ts-expect-error` for each
 * mistake that must not.
 */
import { defineBolt, type Topology, t, topology } from '../../core/index.js';
import { bomb, captureBolt, feeder, runLocal, startLocal } from '../../core/testing/index.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const expect = <_T extends true>() => {};

const split = defineBolt({
  input: { line: t.string },
  output: { word: t.string },
  streams: { errors: { text: t.string } },
  execute({ values }, out) {
    out.emit({ word: values.line });
  },
});
const lines = feeder({ line: t.string });
const words = topology('words')
  .spout('lines', lines)
  .bolt('split', split, (from) => from.shuffle('lines'));

export async function results(): Promise<void> {
  const result = await runLocal(words, { spouts: { lines: [{ line: 'a' }] } });
  expect<Equal<(typeof result.emitted.lines)[number], { line: string }>>();
  expect<Equal<(typeof result.emitted.split)[number], { word: string } | { text: string }>>();
  const errors = result.emittedOn('split', 'errors');
  expect<Equal<(typeof errors)[number], { text: string }>>();
  // @ts-expect-error there is no such component
  result.emitted.splt;
  // @ts-expect-error it has no such stream
  result.emittedOn('split', 'late');
}

export async function options(untyped: Topology): Promise<void> {
  await runLocal(words, { spouts: { lines: { default: [{ line: 'a' }] } } });
  await startLocal(words, { spouts: { lines: feeder({ line: t.string }) } });
  // @ts-expect-error a value of the wrong type
  await runLocal(words, { spouts: { lines: [{ line: 1 }] } });
  // @ts-expect-error there is no such spout
  await runLocal(words, { spouts: { line: [] } });
  // @ts-expect-error a bolt is no spout
  await runLocal(words, { spouts: { split: [] } });
  // @ts-expect-error a spout with other fields
  await runLocal(words, { spouts: { lines: feeder({ text: t.string }) } });
  // where the types are not known, the names are checked when it runs
  await runLocal(untyped, { spouts: { whatever: [{ line: 'a' }] } });
}

export function components(): void {
  lines.feed({ line: 'a' });
  lines.feed({ line: 'a' }, 'id');
  // @ts-expect-error a field of the wrong type
  lines.feed({ line: 1 });

  const seen = captureBolt<{ word: string }>();
  topology('seen')
    .spout('lines', lines)
    .bolt('split', bomb(split, { fails: 0.5 }), (from) => from.shuffle('lines'))
    .bolt('seen', seen, (from) => from.shuffle('split'))
    .bolt('any', captureBolt(), (from) => from.shuffle('split', { stream: 'errors' }))
    .bolt('pass', bomb({ hangs: ({ attempt }) => attempt === 1, output: { word: t.string } }), (from) =>
      from.fields('split', ['word']),
    )
    .bolt('end', bomb({ throws: 1 }), (from) => from.shuffle('pass'));
  expect<Equal<(typeof seen.values)[number], { word: string }>>();
  topology('seen')
    .spout('lines', lines)
    // @ts-expect-error the stream does not carry what is expected
    .bolt('seen', seen, (from) => from.shuffle('lines'));
}
