// What the tasks of a process share, and what they know of the environment.
import { randomUUID } from 'node:crypto';
import { defineBolt, spoutFrom, t, topology } from 'squall';

const pool = randomUUID();

const once = spoutFrom({ output: { n: t.number } }, () => [{ n: 1 }]);

const tell = defineBolt({
  input: { n: t.number },
  prepare({ log, index }) {
    log.info(`told: ${index} ${process.pid} ${pool} ${process.env.STORM_TOPOLOGY_ENVIRONMENT}`);
    return { execute() {} };
  },
});

export default ({ name = 'worker' } = {}) =>
  topology(name)
    .spout('once', once)
    .bolt('tell', tell, (from) => from.all('once'), { tasks: 4 });
