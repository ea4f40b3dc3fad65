// The rows of the bucket browser as the kernel sends them, which of them are drawn, and what is said of them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Rows, chosenOf, isHeld, isSameRow, partsOf } from "../../chimera_nb/widgets/browser/rows.js";
import { meantBy } from "../../chimera_nb/widgets/base/press.js";
import { isTyped } from "../../chimera_nb/widgets/browser/tools.js";
import { csvOf } from "../../chimera_nb/widgets/browser/match_list.js";
import { cameFrom, emptyText, matchedText, statusText } from "../../chimera_nb/widgets/browser/words.js";
import { chosenText } from "../../chimera_nb/widgets/dashboard/bar.js";

/** @import { RowsMessage } from "../../chimera_nb/widgets/browser/messages.js" */

/** @param {Partial<RowsMessage>} changes @returns {RowsMessage} */
function message(changes = {}) {
  return {
    kind: "rows", generation: 1, folder: "gs://b/in/", filter: "", crumbs: [], above: null, at: [0, 0], folders: [], objects: [], rest: false, loading: false, failed: false, complete: true, unnamed: 0, archive: null,
    ...changes,
  };
}

/** @param {string} name @returns {[string, number, string | null, string, boolean]} */
const object = (name) => [name, 7, null, "bz2", name.endsWith(".tar")];

/** @param {Partial<RowsMessage>[]} messages */
function rowsOf(...messages) {
  const rows = new Rows(message(messages[0]));
  for (const each of messages) assert.ok(rows.take(message(each)));
  return rows;
}

test("folders stand first, and keys stay when more rows come", () => {
  const rows = rowsOf({ folders: ["a/"], objects: [object("x")], complete: false });
  assert.deepEqual([rows.length, rows.indexOfKey(0), rows.uri(0)], [2, 1, "gs://b/in/x"]);
  assert.ok(rows.take(message({ at: [1, 1], folders: ["c/"], objects: [object("y")] })));
  assert.deepEqual([rows.indexOfKey(0), rows.uri(0), rows.uri(-2)], [2, "gs://b/in/x", "gs://b/in/c/"]);
  assert.deepEqual([0, 1, 2, 3].map(rows.keyAt).map(rows.name), ["a/", "c/", "x", "y"]);
  assert.deepEqual([rows.has(-2), rows.has(-3), rows.has(1), rows.has(2)], [true, false, true, false]);
});

test("an archive opens as a folder, and is found again by the folder that was left", () => {
  const rows = rowsOf({ folders: ["a/"], objects: [object("x"), object("data.tar")] });
  assert.deepEqual([-1, 0, 1].map(rows.opens), [true, false, true]);
  assert.deepEqual([-1, 0, 1].map(rows.uri), ["gs://b/in/a/", "gs://b/in/x", "gs://b/in/data.tar!/"]);
  const left = cameFrom("gs://b/in/data.tar!/2016/", "gs://b/in/");
  assert.deepEqual([left, rows.keyOf(left ?? ""), rows.keyOf("a/"), rows.keyOf("x!/"), rows.keyOf("x")], ["data.tar!/", 1, -1, undefined, undefined]);
});

test("rows that were sent before are not there twice, and a hole is noticed", () => {
  const rows = rowsOf({ folders: ["a/"], objects: [object("x")], complete: false });
  assert.ok(rows.take(message({ folders: ["a/", "b/"], objects: [object("x"), object("y")] })));
  assert.deepEqual([rows.folders, rows.objects.map(([name]) => name)], [["a/", "b/"], ["x", "y"]]);
  assert.equal(rows.take(message({ at: [2, 3] })), false);
  assert.equal(rows.take(message({ at: [3, 2] })), false);
});

test("a click is meant for what was pressed when rows are replaced in between, and for nothing when the pointer went on", () => {
  const [before, after] = [rowsOf({ objects: [object("x")] }), rowsOf({ objects: [object("y")] })];
  const pressed = { rows: before, key: 0, x: 10, y: 10 };
  const there = { clientX: 12, clientY: 11, detail: 1 };
  const now = { rows: after, key: 0 };
  assert.equal(meantBy(pressed, now, there, isSameRow), pressed);
  assert.equal(meantBy(pressed, null, there, isSameRow), pressed); // its row is not there any more
  assert.equal(meantBy(pressed, { rows: before, key: 3 }, { ...there, clientY: 90 }, isSameRow), null);
  const same = { rows: before, key: 0 };
  assert.equal(meantBy(pressed, same, { ...there, clientX: 90 }, isSameRow), same);
  assert.equal(meantBy(pressed, now, { ...there, detail: 0 }, isSameRow), now); // made by a program
  assert.equal(meantBy(null, now, there, isSameRow), now);
});

test("a folder is held by itself and by the folders above it, and by no other", () => {
  const selected = new Set(["gs://b/in/", "gs://c/2016/x"]);
  assert.deepEqual(["gs://b/in/", "gs://b/in/deep/er/", "gs://b/", "gs://b/in2/", "gs://c/2016/", "gs://"].map((folder) => isHeld(folder, selected)), [true, true, false, false, false, false]);
});

test("the row that one comes from is the folder right below the one that is opened", () => {
  assert.equal(cameFrom("gs://b/in/2016/", "gs://b/"), "in/");
  assert.equal(cameFrom("gs://b/a\nb/c/", "gs://b/"), "a\nb/");
  assert.deepEqual([cameFrom("gs://b/", "gs://b/"), cameFrom("gs://b/", "gs://b/in/"), cameFrom("", "gs://")], [null, null, null]);
});

test("the status says how much is there, and what to do for more", () => {
  const two = { folders: ["a/"], objects: [object("x"), object("y")] };
  assert.equal(statusText(rowsOf(two)), "1 folder, 2 files");
  assert.equal(statusText(rowsOf({ ...two, complete: false })), "1 folder, 2 files so far; scroll for more");
  assert.equal(statusText(rowsOf({ ...two, complete: false, loading: true })), "1 folder, 2 files, loading more");
  assert.equal(statusText(rowsOf({ ...two, complete: false, failed: true })), "1 folder, 2 files so far");
  assert.equal(statusText(rowsOf({ complete: false, loading: true })), "Loading");
  assert.equal(statusText(rowsOf({ objects: [object("x")], unnamed: 1 })), "1 file; 1 name left out that no text can show");
});

test("of an archive it says how far it has been looked through, and then what is wrong with it", () => {
  /** @type {(archive: Partial<NonNullable<RowsMessage["archive"]>>) => Partial<RowsMessage>} */
  const within = (archive) => ({ folders: ["a/"], archive: { streamed: false, read: 0, size: 0, note: "", fault: "", ...archive } });
  const going = { read: 2_000_000, size: 8_000_000 };
  assert.equal(statusText(rowsOf({ ...within(going), complete: false })), "1 folder so far; looking through the archive: 2.0 MB of 8.0 MB");
  assert.equal(statusText(rowsOf({ ...within({ ...going, streamed: true }), folders: [], complete: false })), "it is compressed, and read through once: 2.0 MB of 8.0 MB");
  assert.equal(statusText(rowsOf(within({}))), "1 folder");
  assert.equal(statusText(rowsOf(within({ note: "passed over 1 links: 'x'" }))), "1 folder; passed over 1 links: 'x'");
  assert.equal(statusText(rowsOf(within({ fault: "gs://b/x.tar is cut off" }))), "1 folder; gs://b/x.tar is cut off");
  assert.equal(emptyText(rowsOf({ ...within({ fault: "gs://b/x.tar holds no files" }), folders: [] })), "gs://b/x.tar holds no files");
});

test("an empty list says what to do about it", () => {
  assert.match(emptyText(rowsOf({ filter: "nono" })), /holds “nono”.*Esc/);
  assert.match(emptyText(rowsOf({ folder: "gs://" })), /no bucket yet/);
  assert.match(emptyText(rowsOf({})), /^Nothing is in this folder\. /);
});

test("a pattern says what it matches, or why it does not do", () => {
  assert.equal(matchedText(null), "** is any depth");
  assert.equal(matchedText({ text: "*", files: 0, bytes: 0, more: false, error: "", example: "", active: false }), "matches no file");
  assert.equal(matchedText({ text: "*", files: 0, bytes: 0, more: true, error: "", example: "", active: true }), "more than 0 files, 0 B");
  assert.equal(matchedText({ text: "[", files: 0, bytes: 0, more: false, error: "no ]", example: "", active: false }), "no ]");
});

test("sorted rows stand where their values say, folders first, and keys stay", () => {
  /** @type {(name: string, size: number, date: string) => [string, number, string | null, string, boolean]} */
  const file = (name, size, date) => [name, size, date, "bz2", false];
  const rows = rowsOf({ folders: ["a/", "b/"], objects: [file("x", 3, "2020"), file("y", 1, "2022"), file("z", 3, "2021")] });
  const names = () => Array.from({ length: rows.length }, (_, at) => rows.name(rows.keyAt(at)));
  rows.sort({ by: "size", down: true });
  assert.deepEqual(names(), ["a/", "b/", "z", "x", "y"]);
  rows.sort({ by: "date", down: false });
  assert.deepEqual(names(), ["a/", "b/", "x", "z", "y"]);
  assert.deepEqual(rows.between(1, -2), [-2, 0, 2, 1]);
  rows.sort({ by: "name", down: true });
  assert.deepEqual(names(), ["b/", "a/", "z", "y", "x"]);
  for (let at = 0; at < rows.length; at += 1) assert.equal(rows.indexOfKey(rows.keyAt(at)), at);
  assert.ok(rows.take(message({ at: [2, 3], objects: [file("zz", 9, "2019")] })));
  assert.deepEqual(names(), ["b/", "a/", "zz", "z", "y", "x"]);
});

test("a folder that holds something selected is marked, and the head says how much is", () => {
  const rows = rowsOf({ folders: ["a/", "b/"], objects: [object("x")] });
  const some = new Set(["gs://b/in/a/deep/1", "gs://b/in/x", "gs://b/elsewhere/y", "gs://b/in/b/"]);
  assert.deepEqual([...partsOf("gs://b/in/", some)], ["gs://b/in/a/"]);
  /** @param {string[]} uris */
  const chosen = (...uris) => chosenOf(rows, new Set(uris), partsOf("gs://b/in/", uris).size);
  assert.deepEqual([chosen(), chosen("gs://b/x"), chosen("gs://b/in/a/1"), chosen("gs://b/in/x"), chosen("gs://b/in/x", "gs://b/in/a/", "gs://b/in/b/")], ["none", "none", "some", "some", "all"]);
});

test("the bar at the foot says what the selection comes to", () => {
  const chosen = { selected: 2, files: 5, bytes: 7_700_000, more: false, counting: false, canUndo: true };
  assert.equal(chosenText(chosen), "5 files · 7.7 MB");
  assert.equal(chosenText({ ...chosen, files: 1, more: true }), "more than 1 file · 7.7 MB");
  assert.equal(chosenText({ ...chosen, files: 0, counting: true }), "2 selected · counting");
  assert.equal(chosenText({ ...chosen, selected: 0 }), "");
});

test("the files of a pattern are a CSV that every spreadsheet reads", () => {
  assert.equal(csvOf([["gs://b/a.bz2", 5], ['gs://b/x,"y".bz2', 7]]), 'uri,bytes\r\ngs://b/a.bz2,5\r\n"gs://b/x,""y"".bz2",7\r\n');
});

test("what is typed into the filter stays, also before the first rows; of another folder it goes", () => {
  assert.ok(isTyped("mar", true, undefined, "gs://b/", false));
  assert.ok(!isTyped("", true, undefined, "gs://b/", false), "an address's filter is shown");
  assert.ok(isTyped("", true, "gs://b/", "gs://b/", false));
  assert.ok(!isTyped("mar", true, "gs://b/", "gs://b/in/", false));
  assert.ok(isTyped("mar", true, "gs://b/", "gs://b/in/", true), "it was typed for the folder that comes");
  assert.ok(!isTyped("mar", false, "gs://b/", "gs://b/", true));
});
