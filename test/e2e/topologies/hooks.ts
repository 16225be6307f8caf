/** What is posted, through a bolt, into a file. */

import { t, topology } from 'squall';
import { linesSink } from 'squall/bolts';
import { httpSpout, type WebhookSecret } from 'squall/spouts';

export default ({
  name = 'hooks',
  port = '0',
  output = 'out.tsv',
  env = '',
  scheme = 'bearer' as string,
  limitBytes = '1000',
} = {}) => {
  const secret: WebhookSecret | undefined = env === '' ? undefined : { env, scheme: scheme as 'bearer' | 'hmac' };
  const hooks = httpSpout({
    port: Number(port),
    path: '/hooks',
    stream: 'HOOKS',
    limitBytes: Number(limitBytes),
    idHeader: 'X-Delivery',
    ...(secret === undefined ? {} : { secret }),
    decode: 'json',
    output: { n: t.number },
  });
  return topology(name)
    .spout('hooks', hooks, { tasks: 2 })
    .bolt('sink', linesSink({ path: output }), (from) => from.global('hooks'));
};
