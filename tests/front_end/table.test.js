// What a table says of its rows, and the pieces of a file.

import assert from "node:assert/strict";
import { test } from "node:test";

import { wantsText } from "../../chimera_nb/widgets/table/filters.js";
import { Saving, decoded } from "../../chimera_nb/widgets/table/saving.js";
import { columnsText, rowsText } from "../../chimera_nb/widgets/table/words.js";

/** @import { ChunkMessage } from "../../chimera_nb/widgets/table/requests.js" */

const TOLD = /** @type {const} */ ({ matched: 2010, kept: 1000, looked: 1000, total: 2010, state: "done" });
const ASKED = { filtered: false, sorted: false, exploded: false };

test("how many rows there are is said, and whether all of them were looked at", () => {
  assert.deepEqual(rowsText(TOLD, ASKED), ["2,010 rows; the first 1,000 can be seen here, a file has all", false]);
  assert.deepEqual(rowsText({ ...TOLD, matched: 1, kept: 1, total: 1, looked: 1 }, ASKED), ["1 row", false]);
  assert.deepEqual(rowsText({ ...TOLD, matched: 1, kept: 1 }, { ...ASKED, filtered: true }), ["1 matches in 2,010 rows", false]);
  const partial = /** @type {const} */ ({ ...TOLD, matched: 12, kept: 12, looked: 240_000, total: 18_000_000, state: "partial" });
  assert.deepEqual(rowsText(partial, { ...ASKED, filtered: true }), ["12 match in the first 240,000 of 18,000,000 rows", true]);
  assert.deepEqual(rowsText({ ...partial, matched: 240_000, kept: 1000 }, { ...ASKED, sorted: true }), ["sorted among the first 240,000 of 18,000,000 rows; the first 1,000 can be seen here, a file has all", true]);
  assert.deepEqual(rowsText({ ...TOLD, state: "looking", looked: 500 }, ASKED), ["Looking: 500 of 2,010 so far", false]);
  assert.deepEqual(rowsText({ ...TOLD, total: null, matched: 164, kept: 164, looked: 164 }, ASKED), ["164 rows at the beginning of the file", false]);
  assert.deepEqual(rowsText({ ...TOLD, matched: null }, { ...ASKED, exploded: true }), ["the first 1,000 rows; a file has all", false]);
  assert.deepEqual([columnsText(30, 45), columnsText(3, 3)], ["Columns 30 of 45", "Columns"]);
  assert.deepEqual([wantsText("is"), wantsText("empty")], [true, false]);
});

test("a file is asked for piece by piece, and what comes of another is left", () => {
  /** @type {object[]} */
  const asked = [];
  /** @type {string[]} */
  const told = [];
  const saving = new Saving("v", (request) => asked.push(request), (text) => told.push(text));
  const number = saving.begin();
  /** @param {object} changes */
  const chunk = (changes) => saving.take(/** @type {ChunkMessage} */ ({ kind: "chunk", view: "v", saving: number, name: "a.csv", data: btoa("a,b"), note: "", ...changes }));
  chunk({ view: "another" });
  chunk({ saving: number - 1 });
  assert.deepEqual(asked, []);
  chunk({});
  assert.deepEqual(asked, [{ kind: "nextChunk", view: "v", saving: number }]);
  saving.hear({ kind: "saving", view: "v", saving: number, told: "3 rows", error: "" });
  saving.hear({ kind: "saving", view: "v", saving: number, told: "", error: "too many rows" });
  chunk({});
  assert.equal(asked.length, 1);
  assert.deepEqual(told, ["Making the file", "Making the file: 3 rows", "Not saved: too many rows"]);
  assert.deepEqual([...decoded(btoa("\xff\x00a"))], [255, 0, 97]);
});
