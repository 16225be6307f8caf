import test from 'ava';
import { topologyFile, until, Workspace } from '../support/e2e.js';
import { startRun } from '../support/e2e-run.js';

/** Value of each sample of a counter, by its name and labels. */
function counters(page: string): Map<string, number> {
  const lines = [...page.matchAll(/^(squall_\w+_total\{.*\}) (\S+)$/gm)];
  return new Map(lines.map(([, name, value]) => [name, Number(value)]));
}

test.serial('a run tells the address of its metrics as soon as it is ready, and none that serves none', async (t) => {
  for (const metrics of [0, undefined]) {
    const place = await Workspace.create(t);
    const set = { count: '100', output: place.path('numbers.tsv') };
    const watched = startRun(t, place, topologyFile('numbers'), { set, metrics, workers: 1 });
    t.is(watched.run.metricsUrl, undefined, 'nothing serves yet');
    const served = new Promise<string | undefined>((resolve) => {
      watched.run.once('ready', () => resolve(watched.run.metricsUrl));
    });
    if (metrics === undefined) t.is(await served, undefined);
    else t.regex((await served) ?? '', /^http:\/\/127\.0\.0\.1:[1-9]\d*\/metrics$/);
    t.is((await watched.run.result).status, 'completed');
    t.is(watched.run.metricsUrl, undefined, 'nothing serves any more');
  }
});

test.serial('a worker dies: ready says who, no counter goes down, and the page closes with the run', async (t) => {
  const place = await Workspace.create(t);
  const set = { count: '1000000', rate: '2000', output: place.path('numbers.tsv') };
  const watched = startRun(t, place, topologyFile('numbers'), { set, metrics: 0, workers: 2 });
  const url = await until(
    () => watched.lines.items.map((line) => /metrics at (\S+)\/metrics/.exec(line)?.[1]).find((found) => found),
    'the address of the metrics',
  );
  t.is((await fetch(`${url}/healthz`)).status, 200);
  await watched.ackedAtLeast(2000);
  t.is((await fetch(`${url}/ready`)).status, 200);

  const page = async () => counters(await (await fetch(`${url}/metrics`)).text());
  let before = await page();
  const fell: string[] = [];
  const look = async () => {
    const now = await page();
    for (const [name, value] of before)
      if ((now.get(name) ?? -1) < value) fell.push(`${name}: ${value}, ${now.get(name)}`);
    before = now;
  };
  const unready: string[] = [];
  const replaced = watched.killAndAwait('second[3]').then(() => true);
  for (let up = false; !up; ) {
    await look();
    const ready = await fetch(`${url}/ready`);
    if (ready.status === 503) unready.push(...((await ready.json()) as { readonly why: readonly string[] }).why);
    up = await Promise.race([replaced, new Promise<false>((resolve) => setImmediate(resolve, false))]);
  }
  await watched.ackedAtLeast(watched.acked + 2000);
  await look();
  t.deepEqual(fell, []);
  t.regex(unready.join('; '), /second\[3\].*: not up/);
  t.is((await fetch(`${url}/ready`)).status, 200);
  t.is(before.get(`squall_task_restarts_total{topology="${place.name}",component="second",task="3"}`), 1);
  t.true((before.get(`squall_roots_acked_total{topology="${place.name}",component="numbers"}`) ?? 0) >= 4000);

  t.is(watched.run.metricsUrl, `${url}/metrics`);
  await watched.run.drain();
  t.is(watched.run.metricsUrl, undefined);
  await t.throwsAsync(fetch(`${url}/healthz`));
});
