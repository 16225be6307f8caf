/** Each row of `docs/coming-from-storm.md` that has a counterpart is shown by a test, here or where it says. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { ROOT } from './installed.js';
import { contextIn } from './storm-context.js';
import { PAGE, quotedIn, rowsUnder } from './storm-page.js';
import { DIFFERENT, STORM, STORM_NAMES } from './storm-rows.js';
import { shown } from './storm-shows.js';
import './storm-examples.js';
import './storm-core-api.js';
import './storm-groupings.js';
import './storm-reliability.js';
import './storm-different.js';

for (const [heading, rows] of Object.entries(STORM)) {
  test(`every row of Storm's is in the table "${heading}", in its order`, (t) => {
    t.deepEqual(
      rowsUnder(heading).map(({ storm }) => storm),
      rows.map(({ name }) => name),
    );
  });

  test(`a row of "${heading}" has no counterpart exactly where the page begins with "None"`, (t) => {
    const none = rowsUnder(heading).filter(({ here }) => /^None\b/.test(here));
    t.deepEqual(
      none.map(({ storm }) => storm),
      rows.filter((row) => row.none).map(({ name }) => name),
    );
    for (const { storm, here } of none) t.true(here.length > 'None. '.length, `${storm}: why?`);
  });
}

const every = Object.values(STORM).flat();

test("every setting of Storm's is in the table of settings, once, and no other", (t) => {
  const keys = every.flatMap(({ keys = [] }) => keys);
  t.deepEqual(
    rowsUnder('Settings')
      .flatMap(({ storm }) => quotedIn(storm))
      .sort(),
    [...keys].sort(),
  );
});

test("every name of Storm's is in the table of names, once, and no other", (t) => {
  t.deepEqual(
    rowsUnder('Names')
      .flatMap(({ storm }) => quotedIn(storm))
      .sort(),
    [...STORM_NAMES].sort(),
  );
});

test('every row with a counterpart is shown by a test, and no other', (t) => {
  const told = every.filter(({ name, elsewhere = [] }) => shown.has(name) || elsewhere.length > 0);
  t.deepEqual(
    told.map(({ name }) => name),
    every.filter((row) => !row.none).map(({ name }) => name),
  );
  t.deepEqual(
    [...shown].filter((name) => !every.some((row) => row.name === name)),
    [],
  );
});

const elsewhere = [...every.flatMap((row) => row.elsewhere ?? []), ...DIFFERENT];
for (const [file, title] of new Map(elsewhere.map((one) => [one.join(' '), one])).values()) {
  test(`there is a test "${title}"`, (t) => {
    const text = readFileSync(join(ROOT, 'test', file), 'utf8');
    const calls = ["'", '"', '`'].flatMap((quote) =>
      ['test(', 'test.serial('].map((call) => `${call}${quote}${title}${quote}`),
    );
    t.true(calls.some((call) => text.replaceAll(/\(\s+(?=['"`])/g, '(').includes(call)));
  });
}

test('every option of the command line that the page names is one', (t) => {
  const commands = readdirSync(join(ROOT, 'cli')).filter((name) => name.endsWith('.ts'));
  const text = commands.map((name) => readFileSync(join(ROOT, 'cli', name), 'utf8')).join('\n');
  const ofNode = ['--max-old-space-size', '--cpu-prof'];
  const named = new Set([...PAGE.matchAll(/--[a-z][a-z-]+/g)].map(([option]) => option));
  t.true(named.size >= 6);
  t.deepEqual(
    [...named].filter((option) => !ofNode.includes(option) && !text.includes(`'${option}`)),
    [],
  );
});

test('every member of a context that the page names is one', async (t) => {
  const named = new Set([...PAGE.matchAll(/`context\.(\w+)/g)].map(([, name]) => name));
  t.true(named.size >= 10);
  const context = await contextIn();
  t.deepEqual(
    [...named].filter((name) => !(name in context)),
    [],
  );
});

test('every setting that there is is in the section on settings', async (t) => {
  const settings = PAGE.slice(PAGE.indexOf('\n## Settings\n'), PAGE.indexOf('\n## Names\n'));
  const { config } = await contextIn();
  t.deepEqual(
    Object.keys(config).filter((name) => !settings.includes(`\`${name}`)),
    [],
  );
});
