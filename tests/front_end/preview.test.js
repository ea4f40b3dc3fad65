// A JSON value as a tree that opens and closes, and what is said of a file.

import assert from "node:assert/strict";
import { test } from "node:test";

import { kindOf, levelsToOpen, parentOf, shownNodes } from "../../chimera_nb/widgets/preview/tree.js";
import { factsText, linesText, recordAt } from "../../chimera_nb/widgets/preview/words.js";

/** @import { Facts, ShownLine, TreeNode } from "../../chimera_nb/widgets/preview/messages.js" */

/** {a: {b: [1, 2], c: 3}, d: 4} @type {TreeNode[]} */
const NODES = [[0, "a", "2 items", 2], [1, "b", "2 items", 2], [2, "0", "1", 0], [2, "1", "2", 0], [1, "c", "3", 0], [0, "d", "4", 0]];

/** @type {Facts} */
const FACTS = {
  size: 1_000_000, codec: "bz2", readBytes: 256_000, rawBytes: 900_000, estimatedRawBytes: 9_600_000, estimatedLines: 41_234, complete: false, problem: "", note: "", linesRead: 300, lines: [],
};

test("as many levels are open as come to no more nodes than wanted, one at least", () => {
  assert.deepEqual([0, 2, 3, 4, 5, 6, 60].map((most) => levelsToOpen(NODES, most)), [1, 1, 1, 1, 1, 2, 2]);
  assert.equal(levelsToOpen([], 60), 1);
});

test("what is in a closed node is hidden, whether it is open itself or not", () => {
  /** @param {number[]} closed */
  const labels = (closed) => NODES.filter((_, at) => shownNodes(NODES, NODES.map((_node, other) => !closed.includes(other)))[at]).map(([, label]) => label);
  assert.deepEqual(labels([]), ["a", "b", "0", "1", "c", "d"]);
  assert.deepEqual(labels([1]), ["a", "b", "c", "d"]);
  assert.deepEqual(labels([0]), ["a", "d"]);
  assert.deepEqual(labels([0, 1]), ["a", "d"]);
});

test("left leads to the node that one is in", () => {
  assert.deepEqual(NODES.map((_, at) => parentOf(NODES, at)), [-1, 0, 1, 1, 0, -1]);
});

test("values look like what they are", () => {
  assert.deepEqual([kindOf(2, "2 items"), kindOf(0, '"a"'), kindOf(0, "-7"), kindOf(0, "true")], ["many", "text", "number", "word"]);
});

test("the next record is the next line that is JSON, and stays where there is none", () => {
  /** @type {ShownLine[]} */
  const lines = [true, false, true, false].map((json) => ["", false, json]);
  assert.deepEqual([recordAt(lines, 0, 1), recordAt(lines, 2, 1), recordAt(lines, 2, -1), recordAt(lines, 0, -1), recordAt(lines, 2, 0)], [2, 2, 0, 0, 2]);
  assert.equal(recordAt([], 0, 1), 0);
});

test("what is known of a file is told from what is guessed", () => {
  assert.equal(factsText(FACTS), "1.0 MB stored  ·  about 9.6 MB unpacked, about 41 thousand lines (from the first 256.0 kB)");
  assert.equal(factsText({ ...FACTS, complete: true, estimatedRawBytes: 900, estimatedLines: 1 }), "1.0 MB stored  ·  900 B unpacked  ·  1 line");
  assert.equal(factsText({ ...FACTS, estimatedRawBytes: null, note: "two streams" }), "1.0 MB stored  ·  900.0 kB unpacked in what could be read\nTwo streams");
});

test("how much is shown is told", () => {
  assert.deepEqual([linesText(200, 1234), linesText(1, 1)], ["the first 200 of 1,234 lines read", "1 line"]);
});
