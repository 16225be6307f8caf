import test from 'ava';
import { Rates } from '../../cli/rates.js';

test('a rate is that of the last five seconds, whatever was before', (t) => {
  const rates = new Rates();
  for (let second = 0; second <= 20; second += 1) {
    rates.add(second * 1000, { split: second <= 10 ? second * 1000 : 10_000 + (second - 10) * 50 });
  }
  t.is(rates.of('split'), 50);
});

test('a rate is unknown until there is something to tell it from', (t) => {
  const rates = new Rates();
  t.is(rates.of('split'), undefined);
  rates.add(0, { split: 0 });
  rates.add(250, { split: 100 });
  t.is(rates.of('split'), undefined);
  t.is(rates.of('no component'), undefined);
  rates.add(1000, { split: 400 });
  t.is(rates.of('split'), 400);
});

test('a stall shows as zero, and a count that fell back is not negative', (t) => {
  const rates = new Rates();
  for (let second = 0; second <= 10; second += 1) rates.add(second * 1000, { stalled: 500, fell: 1000 - second });
  t.is(rates.of('stalled'), 0);
  t.is(rates.of('fell'), 0);
});
