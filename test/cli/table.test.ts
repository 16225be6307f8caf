import test from 'ava';
import fc from 'fast-check';
import { table } from '../../cli/table.js';

const COLUMNS = [
  { title: 'name', align: 'left', keep: 9 },
  { title: 'seldom read', align: 'right', keep: 1 },
  { title: 'acked', align: 'right', keep: 5 },
] as const;

test('names stand left, figures right, under their titles', (t) => {
  const rows = [
    ['lines', '1', '12,345'],
    ['a', '22', '7'],
  ];
  t.deepEqual(table(COLUMNS, rows, 80), [
    'name   seldom read   acked',
    'lines            1  12,345',
    'a               22       7',
  ]);
});

test('where the width is short the least important column goes first', (t) => {
  t.deepEqual(table(COLUMNS, [['lines', '1', '12,345']], 20), ['name    acked', 'lines  12,345']);
});

test('a long name is shortened before a column goes', (t) => {
  const rows = [['a-name-of-a-component-that-is-long', '1', '2']];
  t.deepEqual(table(COLUMNS, rows, 35)[1], 'a-name-of-a-co…            1      2');
});

test('no line is ever wider than the terminal', (t) => {
  const row = fc.tuple(fc.stringMatching(/^[a-z]{0,70}$/), fc.nat().map(String), fc.nat().map(String));
  fc.assert(
    fc.property(fc.array(row, { maxLength: 5 }), fc.integer({ min: 1, max: 100 }), (rows, width) => {
      t.true(table(COLUMNS, rows, width).every((line) => line.length <= width));
    }),
  );
});
