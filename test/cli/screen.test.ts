import test from 'ava';
import fc from 'fast-check';
import { screenOf, TerminalScreen } from '../../cli/screen.js';
import { FakeOutput, terminalShows } from './fake-io.js';

function terminal(columns = 20, rows = 10): FakeOutput {
  return Object.assign(new FakeOutput(), { isTerminal: true, columns, rows });
}

test('a repaint is one write, and replaces the block before it', (t) => {
  const output = terminal();
  const screen = new TerminalScreen(output);
  screen.paint(['a 1', 'b 1', 'c 1']);
  screen.paint(['a 2', 'b']);
  t.is(output.writes.length, 2);
  t.deepEqual(terminalShows(output.text, 20), ['a 2', 'b']);
});

test('lines that stay scroll above the block, in order', (t) => {
  const output = terminal();
  const screen = new TerminalScreen(output);
  screen.paint(['block']);
  screen.log('one');
  screen.log('two');
  screen.flush();
  screen.log('three');
  screen.paint(['block again']);
  t.deepEqual(terminalShows(output.text, 20), ['one', 'two', 'three', 'block again']);
});

test('lines are collected for a moment, and written without a repaint', async (t) => {
  const output = terminal();
  const screen = new TerminalScreen(output);
  const written = new Promise<void>((resolve) => {
    output.write = (text) => {
      output.writes.push(text);
      resolve();
    };
  });
  screen.log('one');
  screen.log('two');
  t.is(output.text, '');
  await written;
  t.deepEqual(terminalShows(output.text, 20), ['one', 'two']);
});

test('a block that is higher than the terminal is cut, and says so', (t) => {
  const output = terminal(20, 4);
  const screen = new TerminalScreen(output);
  screen.paint(['1', '2', '3', '4', '5']);
  t.deepEqual(terminalShows(output.text, 20), ['1', '2', '… and 3 more lines']);
});

test('a terminal that was narrowed has wrapped the block, and it is replaced all the same', (t) => {
  const output = terminal(20);
  const screen = new TerminalScreen(output);
  screen.log('stays');
  screen.paint(['0123456789abcde', 'short']);
  output.columns = 10;
  const before = output.writes.length;
  screen.paint(['new']);
  // What the terminal shows when it is 10 wide: the first line of the block on two rows.
  const shown = ['stays', '0123456789', 'abcde', 'short'].map((line) => `${line}\n`).join('');
  t.deepEqual(terminalShows(shown + output.writes.slice(before).join(''), 10), ['stays', 'new']);
});

test('colours do not count as characters', (t) => {
  const output = terminal(20);
  const screen = new TerminalScreen(output);
  screen.paint(['\x1b[31m0123456789abcdef\x1b[39m']);
  screen.paint(['new']);
  t.deepEqual(terminalShows(output.text, 20), ['new']);
});

test('whatever is logged and painted, the terminal shows all lines and then the last block', (t) => {
  const line = fc.stringMatching(/^[a-z]{0,30}$/);
  const step = fc.oneof(
    line.map((log) => ({ log })),
    fc.array(fc.stringMatching(/^[a-z]{0,11}$/), { maxLength: 8 }).map((block) => ({ block })),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const output = terminal(12, 100);
      const screen = new TerminalScreen(output);
      const lines: string[] = [];
      let last: readonly string[] = [];
      for (const each of steps) {
        if ('log' in each) {
          screen.log(each.log);
          lines.push(...(each.log.match(/.{1,12}/g) ?? ['']));
        } else {
          screen.paint(each.block);
          last = each.block;
        }
      }
      screen.paint(last);
      // An empty last line cannot be told from none.
      const expected = [...lines, ...last];
      const shown = terminalShows(output.text, 12);
      while (expected.at(-1) === '') expected.pop();
      while (shown.at(-1) === '') shown.pop();
      t.deepEqual(shown, expected);
    }),
  );
});

test('where there is no terminal a line is written at once, and no block ever', (t) => {
  const output = new FakeOutput();
  const screen = screenOf(output);
  screen.paint(['block']);
  screen.log('line');
  t.is(output.text, 'line\n');
});
