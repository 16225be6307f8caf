/** The lines of a file that is followed, through a bolt, into a file. */

import { defineBolt, t, topology } from 'squall';
import { linesSink } from 'squall/bolts';
import { fileSpout } from 'squall/spouts';

const pass = defineBolt({
  input: { line: t.string },
  output: { line: t.string },
  execute({ values: { line } }, out) {
    out.emit({ line });
  },
});

export default ({ name = 'followed', input = 'app.log', output = 'out.tsv' } = {}) =>
  topology(name)
    .spout('lines', fileSpout({ path: input, follow: true }))
    .bolt('pass', pass, (from) => from.shuffle('lines'))
    .bolt('sink', linesSink({ path: output }), (from) => from.global('pass'));
