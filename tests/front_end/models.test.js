// A model that comes while ipywidgets' manager sleeps for the last time is found, and one that is not there is an error.

import assert from "node:assert/strict";
import { test } from "node:test";

const page = /** @type {any} */ (globalThis);
page.window = page;
await import("../../dashboards/templates/chimera/static/models.js");

/** A manager that gives up, as the script has changed it. @param {Map<string, string>} models */
async function changed(models) {
  const manager = {
    looks: 0,
    /** @param {string} id */
    has_model: (id) => models.has(id),
    /** @param {string} id @returns {Promise<unknown>} */
    get_model(id) {
      this.looks += 1;
      if (this.looks > 1) return Promise.resolve(models.get(id));
      if (id === "late") models.set(id, "the model"); // after its last look
      return Promise.reject(new Error("widget model not found"));
    },
  };
  const container = page._JUPYTERLAB.chimera;
  await container.init({});
  const extension = (await container.get("./extension"))();
  const promise = Promise.resolve(manager);
  extension.activate({ widgetManagerPromise: { promise } });
  await promise;
  return manager;
}

test("a model that came after the last look is found", async () => {
  const manager = await changed(new Map());
  assert.equal(await manager.get_model("late"), "the model");
});

test("a model that is not there is an error still", async () => {
  const manager = await changed(new Map());
  const refused = await manager.get_model("none").catch((error) => error.message);
  assert.match(String(refused), /not found/);
  assert.equal(manager.looks, 1);
});
