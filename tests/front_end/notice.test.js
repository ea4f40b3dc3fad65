// A notice of the browser at a job's end: once, to whoever asked, with the browser's leave. The browser is made up.

import assert from "node:assert/strict";
import { test } from "node:test";

/** @type {string[]} */
let told = [];
let answer = "granted";
/** @type {any} */
const world = globalThis;

class Node {
  attributes = new Map();
  hidden = false;
  textContent = "";
  addEventListener() {}
  append() {}
  /** @param {string} name @param {string} value */
  setAttribute(name, value) {
    this.attributes.set(name, value);
  }
}

world.document = { createElement: () => new Node() };
world.Notification = class {
  static permission = "default";
  static requestPermission() {
    world.Notification.permission = answer;
    return Promise.resolve(answer);
  }
  /** @param {string} text */
  constructor(text) {
    told.push(text);
  }
};

const { EndNotice } = await import("../../chimera_nb/widgets/job_monitor/notice.js");
const running = { id: "j", final: false, word: "running", name: "" };
const ended = { ...running, final: true, word: "complete, 6 failed", name: "Monday" };
/** @param {any} notice */
const pressed = (notice) => notice.node.attributes.get("aria-pressed");

function anew() {
  told = [];
  answer = "granted";
  world.Notification.permission = "default";
}

test("the end is told once, by the job's name, to whoever asked", async () => {
  anew();
  const notice = new EndNotice();
  notice.show(running);
  assert.equal(notice.node.hidden, false);
  await notice.ask();
  assert.equal(pressed(notice), "true");
  notice.show({ ...running, word: "cancelling" });
  assert.deepEqual(told, []);
  notice.show(ended);
  notice.show(ended);
  assert.deepEqual([told, notice.node.hidden], [["Monday: complete, 6 failed"], true]);
});

test("who did not ask, took it back, or looks at another job is told nothing", async () => {
  anew();
  const notice = new EndNotice();
  notice.show(running);
  notice.show(ended);
  notice.show(running);
  await notice.ask();
  await notice.ask();
  assert.equal(pressed(notice), "false");
  notice.show(ended);
  notice.show(running);
  await notice.ask();
  notice.show({ ...ended, id: "another" });
  assert.deepEqual(told, []);
});

test("where the browser gives no leave that is said, and nothing is promised", async () => {
  anew();
  answer = "denied";
  const notice = new EndNotice();
  notice.show(running);
  await notice.ask();
  assert.deepEqual([notice.node.textContent, pressed(notice)], ["The browser shows no notices here", "false"]);
  notice.show(ended);
  assert.deepEqual(told, []);
});
