// Numbers, sizes and times as a person reads them.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { bytes, clock, duration, later, number, picture, plural, tally, when } from "../../chimera_nb/widgets/base/text.js";

test("bytes have three digits or so and the unit that fits", () => {
  const told = [0, 999, 1000, 999_949, 999_950, 3.4e6, 5e15, 2e18].map(bytes);
  assert.deepEqual(told, ["0 B", "999 B", "1.0 kB", "999.9 kB", "1.0 MB", "3.4 MB", "5.0 PB", "2000.0 PB"]);
});

test("counts have their thousands apart, and nouns their number", () => {
  assert.equal(number(1234567), "1,234,567");
  assert.deepEqual([0, 1, 2000].map((count) => plural(count, "file")), ["0 files", "1 file", "2,000 files"]);
});

test("a tally says when there is more", () => {
  assert.equal(tally({ files: 1, bytes: 12 }), "1 file, 12 B");
  assert.equal(tally({ files: 12, bytes: 3.4e6, more: true }), "more than 12 files, 3.4 MB");
  assert.equal(tally({}), "0 files, 0 B");
});

test("a duration has its two largest units, without one that is nothing", () => {
  const told = [-5, 0, 0.4, 59.6, 125, 3600, 3605, 90061, 86400 * 3].map(duration);
  assert.deepEqual(told, ["0 s", "0 s", "0 s", "1 min", "2 min 5 s", "1 h", "1 h", "1 d 1 h", "3 d"]);
});

test("a moment is told as a clock here has it, and nothing where there is none", () => {
  assert.equal(when("2024-01-19T07:05:59Z"), "2024-01-19 07:05");
  assert.equal(clock("2024-01-19T07:05:59Z"), "07:05:59");
  assert.deepEqual([when(null), when(""), when("yesterday"), clock("yesterday")], ["", "", "", ""]);
});

test("what cannot be seen in a name has a mark, but for what joins an emoji", () => {
  assert.equal(picture("\u202e", "ab"), "U+202E");
  assert.equal(picture(" ", "ab"), "␣");
  assert.equal(picture("\u200d", "👩"), null);
  assert.equal(picture("\u200d", "ab"), "U+200D");
});

test("what is put off happens once, with the values of the last call, unless it is taken back", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  /** @type {string[]} */
  const told = [];
  const tell = later(100, (/** @type {string} */ text) => told.push(text));
  tell("one");
  mock.timers.tick(99);
  tell("two");
  mock.timers.tick(99);
  assert.deepEqual(told, []);
  mock.timers.tick(1);
  assert.deepEqual(told, ["two"]);
  tell("three");
  tell.cancel();
  mock.timers.tick(1000);
  assert.deepEqual(told, ["two"]);
  mock.timers.reset();
});
