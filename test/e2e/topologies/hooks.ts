/** What is posted, through a bolt, into a file. */
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { defineBolt, t, topology } from 'squall';
import { linesSink } from 'squall/bolts';
import { httpSpout, type WebhookSecret } from 'squall/spouts';

const LOOK_MS = 20;

export default ({
  name = 'hooks',
  port = '0',
  output = 'out.tsv',
  env = '',
  scheme = 'bearer' as string,
  limitBytes = '1000',
  maxBytes = String(1 << 20),
  /** a file: while it is there, nothing is completed */
  gate = '',
} = {}) => {
  const secret: WebhookSecret | undefined = env === '' ? undefined : { env, scheme: scheme as 'bearer' | 'hmac' };
  const hooks = httpSpout({
    port: Number(port),
    path: '/hooks',
    stream: 'HOOKS',
    limitBytes: Number(limitBytes),
    maxBytes: Number(maxBytes),
    idHeader: 'X-Delivery',
    ...(secret === undefined ? {} : { secret }),
    decode: 'json',
    output: { n: t.number },
  });
  const pass = defineBolt({
    input: { n: t.number },
    output: { n: t.number },
    async execute({ values }, out) {
      while (gate !== '' && existsSync(gate)) await delay(LOOK_MS);
      out.emit(values);
    },
  });
  return topology(name)
    .spout('hooks', hooks, { tasks: 2 })
    .bolt('pass', pass, (from) => from.shuffle('hooks'))
    .bolt('sink', linesSink({ path: output }), (from) => from.global('pass'));
};
