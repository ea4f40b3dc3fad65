// Where the marks of a chart's axes are, and what is written at them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { brief, padded, scale, stepped, ticks } from "../../chimera_nb/widgets/base/chart.js";
import { areTimes, isCloud, timeAxis } from "../../chimera_nb/widgets/job_monitor/axes.js";

const DAY = 86400e3;
const MONDAY = Date.UTC(2024, 0, 15);

test("ticks are round values in the range, about as many as asked for", () => {
  assert.deepEqual(ticks(0, 10, 5), [0, 2, 4, 6, 8, 10]);
  assert.deepEqual(ticks(-3, 3, 3), [-2, 0, 2]);
  assert.deepEqual(ticks(1234, 5678, 4), [2000, 4000]);
  for (const [low, high] of [[0, 1e-9], [0, 1e15], [-1e6, 7], [99.5, 100.5]]) {
    for (let wanted = 2; wanted < 9; wanted += 1) {
      const found = ticks(low, high, wanted);
      assert.ok(found.length >= 1 && found.length <= wanted + 1, `${low}..${high} in ${wanted}: ${found}`);
      assert.ok(found.every((at) => at >= low - 1e-12 * Math.abs(low) && at <= high * (1 + 1e-12)));
    }
  }
});

test("a range of one value has a tick, and 0 is never -0", () => {
  assert.deepEqual(ticks(7, 7, 4), [7]);
  assert.ok(ticks(-1, 1, 2).every((at) => !Object.is(at, -0)));
  assert.deepEqual(stepped(0, 30, 15), [0, 15, 30]);
});

test("large numbers are brief, small ones whole", () => {
  assert.deepEqual([0, 7, 999.5, 1234, 1234567, -2e9].map(brief), ["0", "7", "999.5", "1.23K", "1.23M", "-2B"]);
});

test("values become places, and a single value is in the middle", () => {
  const place = scale(10, 20, 100, 0);
  assert.deepEqual([place(10), place(15), place(20), place.low, place.high], [100, 50, 0, 10, 20]);
  assert.equal(scale(5, 5, 0, 80)(5), 40);
});

test("an area and bars stand on 0, a line has room around it", () => {
  assert.deepEqual(padded(5, 100, true).map(Math.round), [0, 110]);
  assert.deepEqual(padded(0, 0, true), [0, 1]);
  assert.deepEqual(padded(0, 100, false), [-8, 108]);
  assert.deepEqual(padded(50, 50, false), [45, 55]);
  assert.deepEqual(padded(0, 0, false), [-1, 1]);
});

test("an axis of times has days, minutes or seconds, by its range", () => {
  /** @param {number} range */
  const written = (range) => timeAxis([[MONDAY, 1], [MONDAY + range, 2]]).showX(MONDAY + 3725e3);
  assert.deepEqual([written(3 * DAY), written(7200e3), written(60e3)], ["2024-01-15", "01:02", "01:02:05"]);
  const { ticksX } = timeAxis([[MONDAY, 1], [MONDAY + DAY, 2]]);
  assert.deepEqual(ticksX(MONDAY, MONDAY + DAY, 8).map((at) => (at - MONDAY) / 3600e3), [0, 3, 6, 9, 12, 15, 18, 21, 24]);
  assert.equal(ticksX(0, 1e15, 4).length > 0, true);
});

test("moments are known from other numbers, and a cloud from a line", () => {
  assert.ok(areTimes([[0, MONDAY], [1, MONDAY + 1]]));
  assert.ok(!areTimes([[0, MONDAY], [1, 5]]));
  assert.ok(isCloud([[1, 5], [1, 6]]));
  assert.ok(!isCloud([[1, 5], [2, 5]]));
});
