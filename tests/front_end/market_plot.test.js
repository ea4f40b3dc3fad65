// What a plot of a market shows: steps in pixels, sums of volume, ranges of zoom, marks of prices and times.

import assert from "node:assert/strict";
import { test } from "node:test";

import { timeText } from "../../chimera_nb/widgets/market_plot/painter.js";
import { changed, countUntil, numbers, priceAt, priceMarks, priceRange, steps, volumes, wholeRange } from "../../chimera_nb/widgets/market_plot/series.js";

/** @param {number[]} times @param {number[]} prices */
const runner = (times, prices, added = times.map(() => 1)) => ({ label: "r", times: Float64Array.from(times), prices: Float64Array.from(prices), added: Float64Array.from(added) });
const same = (/** @type {number} */ value) => value;
const ECHO = runner([1000, 2000, 2000, 4000], [3, 4, 5, 2], [10, 0, 20, 5]);

test("the kernel's bytes are little-endian numbers", () => {
  const bytes = new DataView(new Float64Array([1.5, Number.NaN, -2]).buffer);
  assert.deepEqual([...numbers(bytes)], [1.5, Number.NaN, -2]);
});

test("a price holds from its time until the next; of one instant the last counts", () => {
  assert.deepEqual([999, 1000, 1999, 2000, 9999].map((at) => priceAt(ECHO, at)), [Number.NaN, 3, 3, 5, 2]);
  assert.equal(countUntil(ECHO.times, 2000), 3);
});

test("the whole range has the prices of all runners, and is never empty", () => {
  assert.deepEqual(wholeRange([runner([1, 3000, 5000], [Number.NaN, 2, Number.NaN]), ECHO]), [1000, 5000]);
  assert.deepEqual(wholeRange([runner([1, 3000], [Number.NaN, Number.NaN])]), [1, 3000]);
  assert.deepEqual(wholeRange([ECHO, runner([500], [1])]), [500, 4000]);
  assert.deepEqual(wholeRange([runner([500], [1])]), [500, 1500]);
  assert.deepEqual(wholeRange([]), [0, 1000]);
});

test("prices in sight are those within it and the one that held before", () => {
  assert.deepEqual(priceRange([ECHO], [2500, 3000]), [5, 5]);
  assert.deepEqual(priceRange([ECHO], [1500, 2500]), [3, 5]);
  assert.equal(priceRange([runner([0], [Number.NaN])], [0, 9]), null);
});

test("volume is summed by equal parts of the time, with both ends", () => {
  assert.deepEqual(volumes([ECHO, ECHO], [1000, 4000], 3), [20, 40, 10]);
  assert.deepEqual(volumes([ECHO], [1500, 2500], 2), [0, 20]);
});

test("a line is of steps, which end where the range does", () => {
  assert.deepEqual(steps(runner([10, 20], [3, 5]), [0, 30], same, same), [[10, 3], [10, 3], [10, 3], [20, 3], [20, 5], [20, 5], [20, 5], [30, 5]]);
  const [begin] = steps(runner([10, 50], [3, 5]), [20, 30], same, same);
  assert.deepEqual(begin, [20, 3]);
});

test("a price of none breaks the line", () => {
  const line = steps(runner([0, 10, 20], [3, Number.NaN, 5]), [0, 30], same, same);
  assert.equal(line.filter((point) => point === null).length, 1);
  assert.ok(!line.some((point) => point?.some(Number.isNaN)));
});

test("however many prices there are, a column of pixels has few points, and its extremes", () => {
  const times = Array.from({ length: 100_000 }, (_, at) => at);
  const line = steps(runner(times, times.map((at) => (at === 50_007 ? 999 : (at % 7) + 1))), [0, 100_000], (at) => at / 1000, same);
  assert.ok(line.length < 500, String(line.length));
  assert.ok(line.some((point) => point?.[1] === 999));
});

test("zoom keeps the moment under the pointer, and stays within the whole", () => {
  assert.deepEqual(changed([0, 10_000], [0, 10_000], { about: 2500, factor: 0.5 }), [1250, 6250]);
  assert.deepEqual(changed([1250, 6250], [0, 10_000], { by: 9e9 }), [5000, 10_000]);
  assert.deepEqual(changed([1250, 6250], [0, 10_000], { factor: 100 }), [0, 10_000]);
  assert.deepEqual(changed([0, 1100], [0, 10_000], { about: 0, factor: 0.001 }), [0, 1000]);
});

test("marks of prices are round, within the range and not too many", () => {
  assert.deepEqual(priceMarks(1.01, 1000), [2, 5, 10, 20, 50, 100, 200, 500, 1000]);
  for (const [low, high] of [[1.01, 1.03], [3.2, 3.9], [2, 30], [999, 1000], [1.5, 1.5]]) {
    const found = priceMarks(low, high);
    assert.ok(found.length >= 1 && found.length <= 12, `${low}-${high}: ${found}`);
    assert.ok(found.every((price) => price >= low * 0.999 && price <= high * 1.001));
  }
});

test("times are UTC, as exact as their marks are apart", () => {
  const noon = Date.UTC(2020, 0, 2, 12, 30, 5);
  assert.deepEqual([1000, 60e3, 86400e3].map((step) => timeText(noon, step)), ["12:30:05", "12:30", "2020-01-02"]);
  assert.equal(timeText(Date.UTC(2020, 0, 2), 3600e3), "01-02");
});
