import assert from 'node:assert/strict';
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
import { holds } from '../support/property.js';

const task = fc.integer({ min: 1, max: MAX_TASKS });
const epoch = fc.integer({ min: 1, max: 0xffffffff });
const slot = fc.integer({ min: 0, max: MAX_SLOTS - 1 });
const generation = fc.integer({ min: 0, max: MAX_GENERATION });
const EPOCHS = 1024;
const GENERATIONS = MAX_GENERATION + 1;

test('a root gives back its task, slot and generation, and its epoch modulo 1024', (t) => {
  holds(
    t,
    fc.property(task, epoch, slot, generation, (task, epoch, slot, generation) => {
      const hi = rootHi(task, epoch, generation);
      const lo = rootLo(slot, generation);
      assert.equal(rootTask(hi), task);
      assert.equal(rootEpoch(hi), epoch % EPOCHS);
      assert.equal(rootSlot(lo), slot);
      assert.equal(rootGeneration(hi, lo), generation);
      assert.ok(sameEpoch(rootEpoch(hi), epoch));
      assert.ok(!sameEpoch(rootEpoch(hi), epoch + 1));
    }),
    { numRuns: 1000 },
  );
});

test('halves of a root are unsigned 32-bit integers, and no root is (0, 0)', (t) => {
  holds(
    t,
    fc.property(task, epoch, slot, generation, (task, epoch, slot, generation) => {
      const halves = [rootHi(task, epoch, generation), rootLo(slot, generation)];
      assert.deepEqual(halves, [...Uint32Array.from(halves)]);
      assert.notEqual(halves[0], 0);
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
  holds(
    t,
    fc.property(epoch, fc.integer({ min: 1, max: 511 }), (epoch, ahead) => {
      assert.ok(laterEpoch((epoch + ahead) % EPOCHS, epoch));
      assert.ok(!laterEpoch(epoch % EPOCHS, epoch + ahead));
    }),
  );
});

test('of two generations less than half the circle apart one is later, on the shorter way round', (t) => {
  const near = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: GENERATIONS / 2 - 2 }));
  const base = fc.oneof(generation, fc.integer({ min: GENERATIONS - 5, max: GENERATIONS - 1 }));
  holds(
    t,
    fc.property(base, near, (base, ahead) => {
      const later = (base + ahead) % GENERATIONS;
      assert.ok(laterGeneration(later, base));
      assert.ok(!laterGeneration(base, later));
      assert.ok(!laterGeneration(base, base));
    }),
    { numRuns: 1000 },
  );
});

test('of any two generations never both are later', (t) => {
  holds(
    t,
    fc.property(generation, generation, (a, b) => {
      assert.ok(!(laterGeneration(a, b) && laterGeneration(b, a)));
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
  holds(
    t,
    fc.property(slot, generation, fc.integer({ min: 1, max: 64 }), (slot, generation, ackers) => {
      assert.equal(ackerOf(rootLo(slot, generation), ackers), ackerOf(rootLo(slot, 0), ackers));
    }),
  );
});

test('a root reads as task.epoch:slot#generation', (t) => {
  t.is(rootText(rootHi(1, 2, 3), rootLo(77, 3)), '1.2:77#3');
});
