// An extension of Voilà's front end, in the shape that it loads extensions in: models that come late are found, and so are
// their modules. On a busy machine one page in three stayed empty, or had a widget that did nothing.

{
  const ANYWIDGET_MS = 2000;
  const MODULE_MS = 300_000;

  /** @typedef {{ get_model: (id: string) => Promise<unknown>, has_model: (id: string) => boolean }} Manager */

  /**
   * ipywidgets' manager looks for a model ten times a second, for two seconds, and then gives it up without a last look:
   * what came after the look before is never shown.
   * @param {Manager} manager
   */
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

  /** anywidget gives a widget up for good whose module has not run 2 s after the widget was there. */
  const letModulesComeLate = () => {
    const after = AbortSignal.timeout.bind(AbortSignal);
    AbortSignal.timeout = (ms) => after(ms === ANYWIDGET_MS ? MODULE_MS : ms);
  };

  const extension = {
    id: "chimera:models",
    autoStart: true,
    /** @param {{ widgetManagerPromise: { promise: Promise<Manager> } }} app */
    activate: (app) => void app.widgetManagerPromise.promise.then(lookOnceMore),
  };
  letModulesComeLate();
  const page = /** @type {{ _JUPYTERLAB?: Record<string, unknown> }} */ (/** @type {unknown} */ (window));
  page._JUPYTERLAB ??= {};
  page._JUPYTERLAB.chimera = { init: () => {}, get: async () => () => extension };
}
