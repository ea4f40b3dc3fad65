// An extension of Voilà's front end, in the shape that it loads extensions in: models that come late are found.
//
// ipywidgets' manager looks for a model ten times a second, for two seconds, and then gives it up without a last look.
// What came after the look before is never shown, and the page stays empty: on a busy machine, one page in three.

{
  /** @typedef {{ get_model: (id: string) => Promise<unknown>, has_model: (id: string) => boolean }} Manager */

  /** @param {Manager} manager */
  const lookOnceMore = (manager) => {
    const inTime = manager.get_model.bind(manager);
    manager.get_model = async (id) => {
      try {
        return await inTime(id);
      } catch (error) {
        if (manager.has_model(id)) return inTime(id);
        throw error;
      }
    };
  };

  const extension = {
    id: "chimera:models",
    autoStart: true,
    /** @param {{ widgetManagerPromise: { promise: Promise<Manager> } }} app */
    activate: (app) => void app.widgetManagerPromise.promise.then(lookOnceMore),
  };
  const page = /** @type {{ _JUPYTERLAB?: Record<string, unknown> }} */ (/** @type {unknown} */ (window));
  page._JUPYTERLAB ??= {};
  page._JUPYTERLAB.chimera = { init: () => {}, get: async () => () => extension };
}
