// Light or dark: by the system's wish, or as this visitor has chosen in the header, now or on an earlier visit. It runs
// before anything is painted.

{
  const KEPT = "chimera-theme";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");

  const show = () => {
    const { theme } = root.dataset;
    const dark = theme === "dark" || (theme !== "light" && system.matches);
    root.toggleAttribute("data-dark", dark);
    if (document.body) document.body.dataset.jpThemeLight = String(!dark); // for widgets that ask
  };

  try {
    root.dataset.theme = localStorage.getItem(KEPT) ?? "system";
  } catch {
    root.dataset.theme = "system"; // a browser that keeps nothing
  }
  show();
  document.addEventListener("DOMContentLoaded", show);
  system.addEventListener("change", show);
  addEventListener("chimera-theme", () => {
    show();
    try {
      localStorage.setItem(KEPT, root.dataset.theme ?? "system");
    } catch {} // it holds for this page
  });
}
