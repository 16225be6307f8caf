import test from 'ava';
import { SquallError, topology } from '../../core/index.js';
import { TOPOLOGY } from '../../core/topology/draft.js';
import { loadTopology, type TopologyParameters } from '../../core/topology/parameters.js';

const empty = topology('empty');
const PROTO: string = '__proto__';

test('a topology is itself, a function is called with the settings, and may be async', async (t) => {
  t.is(await loadTopology(empty, {}), empty);
  const named = await loadTopology(({ name = 'a' } = {}) => topology(name), { name: 'b' });
  t.is(named[TOPOLOGY].name, 'b');
  const byDefault = await loadTopology(async ({ name = 'a' } = {}) => topology(name), {});
  t.is(byDefault[TOPOLOGY].name, 'a');
});

test('the default export of a CommonJS file is found in its namespace', async (t) => {
  t.is(await loadTopology({ __esModule: true, default: empty }, {}), empty);
});

test('a topology that another copy of the package made is one', async (t) => {
  const foreign = { [Symbol.for('squall.topology')]: empty[TOPOLOGY] };
  t.is(await loadTopology(foreign, {}), foreign as unknown as typeof empty);
});

test('a setting that is never read is an error that names what is read', async (t) => {
  const build = ({ input = '', output = '' } = {}) => topology(`x${input}${output}`);
  const error = await t.throwsAsync<SquallError>(loadTopology(build, { inptu: 'x', output: 'y', z: '' }), {
    instanceOf: SquallError,
    code: 'ERR_SQUALL_PARAMETERS',
    message:
      "--set inptu=…: the topology never reads 'inptu' (did you mean 'input'?); " +
      "--set z=…: the topology never reads 'z'; it reads input, output",
  });
  t.deepEqual(error?.facts, { unread: ['inptu', 'z'], reads: ['input', 'output'] });
});

test('settings for a topology that takes no parameters are an error', async (t) => {
  await t.throwsAsync(loadTopology(empty, { a: '1' }), { message: /never reads 'a'; it takes no parameters/ });
  await t.throwsAsync(
    loadTopology(() => empty, { a: '1' }),
    { message: /it takes no parameters/ },
  );
});

test('a function that copies, spreads or asks for its parameters reads them', async (t) => {
  const readers: ((parameters: TopologyParameters) => unknown)[] = [
    (parameters) => ({ ...parameters }),
    ({ b, ...rest }) => [b, rest],
    (parameters) => Object.entries(parameters),
    (parameters) => 'a' in parameters,
    (parameters) => parameters.a,
  ];
  for (const read of readers) {
    const build = (parameters: TopologyParameters) => {
      read(parameters);
      return empty;
    };
    await t.notThrowsAsync(loadTopology(build, { a: '1' }), String(read));
  }
});

test('parameters have no inherited values and cannot be changed', async (t) => {
  const seen: unknown[] = [];
  await loadTopology((parameters: Record<string, string>) => {
    seen.push(parameters.toString, parameters.constructor, parameters[PROTO]);
    t.throws(() => {
      parameters.a = 'x';
    });
    return empty;
  }, {});
  t.deepEqual(seen, [undefined, undefined, undefined]);
});

test('a setting named __proto__ is a setting', async (t) => {
  const settings = JSON.parse('{"__proto__":"x"}') as Record<string, string>;
  const named = await loadTopology((parameters: Record<string, string>) => topology(parameters[PROTO]), settings);
  t.is(named[TOPOLOGY].name, 'x');
});

test('a default export that is neither says what was found', async (t) => {
  const refused = async (exported: unknown, message: RegExp) =>
    t.throwsAsync(loadTopology(exported, {}), { instanceOf: SquallError, code: 'ERR_SQUALL_TOPOLOGY_FILE', message });
  await refused(undefined, /expected a topology, or a function from parameters to one, found undefined/);
  await refused({ name: 'x' }, /found \{"name":"x"\} \(object\)/);
  await refused(() => 3, /found a function that returned 3 \(number\)/);
  await refused(async () => {}, /found a function that returned undefined/);
});

test('what the function throws is the cause; what Squall threw in it goes through', async (t) => {
  const cause = new Error('no such folder');
  const thrown = await t.throwsAsync<SquallError>(
    loadTopology(() => {
      throw cause;
    }, {}),
    { code: 'ERR_SQUALL_TOPOLOGY_FILE', message: /threw Error: no such folder/ },
  );
  t.is(thrown?.cause, cause);
  const own = new SquallError('ERR_SQUALL_OTHER', 'a sink needs a path');
  const through = await t.throwsAsync(
    loadTopology(async () => {
      throw own;
    }, {}),
  );
  t.is<unknown, unknown>(through, own);
});
