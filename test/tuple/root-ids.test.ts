import test from 'ava';
import fc from 'fast-check';
import {
  ackerOf,
  laterEpoch,
  laterGeneration,
  MAX_GENERATION,
  MAX_SLOTS,
  MAX_TASKS,
  rootEpoch,
  rootGeneration,
  rootHi,
  rootLo,
  rootSlot,
  rootTask,
  rootText,
  sameEpoch,
} from '../../core/tuple/root-ids.js';

const task = fc.integer({ min: 1, max: MAX_TASKS });
const epoch = fc.integer({ min: 1, max: 0xffffffff });
const slot = fc.integer({ min: 0, max: MAX_SLOTS - 1 });
const generation = fc.integer({ min: 0, max: MAX_GENERATION });
const EPOCHS = 1024;
const GENERATIONS = MAX_GENERATION + 1;

test('a root gives back its task, slot and generation, and its epoch modulo 1024', (t) => {
  fc.assert(
    fc.property(task, epoch, slot, generation, (task, epoch, slot, generation) => {
      const hi = rootHi(task, epoch, generation);
      const lo = rootLo(slot, generation);
      t.is(rootTask(hi), task);
      t.is(rootEpoch(hi), epoch % EPOCHS);
      t.is(rootSlot(lo), slot);
      t.is(rootGeneration(hi, lo), generation);
      t.true(sameEpoch(rootEpoch(hi), epoch));
      t.false(sameEpoch(rootEpoch(hi), epoch + 1));
    }),
    { numRuns: 1000 },
  );
});

test('halves of a root are unsigned 32-bit integers, and no root is (0, 0)', (t) => {
  fc.assert(
    fc.property(task, epoch, slot, generation, (task, epoch, slot, generation) => {
      const halves = [rootHi(task, epoch, generation), rootLo(slot, generation)];
      t.deepEqual(halves, [...Uint32Array.from(halves)]);
      t.not(halves[0], 0);
    }),
    { numRuns: 1000 },
  );
  t.is(rootHi(MAX_TASKS, 1023, MAX_GENERATION), 0xffffffff);
  t.is(rootLo(MAX_SLOTS - 1, MAX_GENERATION), 0xffffffff);
});

test('an epoch is later than the 511 before it on the circle, and than no other', (t) => {
  for (const base of [0, 1, 500, 511, 512, 1022, 1023]) {
    for (let ahead = 0; ahead < EPOCHS; ahead++) {
      t.is(laterEpoch((base + ahead) % EPOCHS, base), ahead >= 1 && ahead <= 511);
    }
  }
});

test('an epoch that has not been cut to its 10 bits compares the same', (t) => {
  fc.assert(
    fc.property(epoch, fc.integer({ min: 1, max: 511 }), (epoch, ahead) => {
      t.true(laterEpoch((epoch + ahead) % EPOCHS, epoch));
      t.false(laterEpoch(epoch % EPOCHS, epoch + ahead));
    }),
  );
});

test('of two generations less than half the circle apart one is later, on the shorter way round', (t) => {
  const near = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: GENERATIONS / 2 - 2 }));
  const base = fc.oneof(generation, fc.integer({ min: GENERATIONS - 5, max: GENERATIONS - 1 }));
  fc.assert(
    fc.property(base, near, (base, ahead) => {
      const later = (base + ahead) % GENERATIONS;
      t.true(laterGeneration(later, base));
      t.false(laterGeneration(base, later));
      t.false(laterGeneration(base, base));
    }),
    { numRuns: 1000 },
  );
});

test('of any two generations never both are later', (t) => {
  fc.assert(
    fc.property(generation, generation, (a, b) => {
      t.false(laterGeneration(a, b) && laterGeneration(b, a));
    }),
    { numRuns: 1000 },
  );
});

test('consecutive slots go round the ackers, and no two slots of an acker share its row', (t) => {
  for (const ackers of [1, 2, 3, 7]) {
    const rows = new Set<string>();
    for (let slot = 0; slot < 1000; slot++) {
      const acker = ackerOf(rootLo(slot, 5), ackers);
      t.is(acker, slot % ackers);
      rows.add(`${acker}/${Math.floor(slot / ackers)}`);
    }
    t.is(rows.size, 1000);
  }
});

test('every attempt of a slot has the same acker', (t) => {
  fc.assert(
    fc.property(slot, generation, fc.integer({ min: 1, max: 64 }), (slot, generation, ackers) => {
      t.is(ackerOf(rootLo(slot, generation), ackers), ackerOf(rootLo(slot, 0), ackers));
    }),
  );
});

test('a root reads as task.epoch:slot#generation', (t) => {
  t.is(rootText(rootHi(1, 2, 3), rootLo(77, 3)), '1.2:77#3');
});
