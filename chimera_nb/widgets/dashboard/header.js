// The view of Steps (steps.py): the dashboard's header. It shows one page or the other by an attribute of the whole
// dashboard, with no word from the kernel, and keeps the address in step where the page is all ours.

const STEPS = [
  ["browse", "Browse", "new"],
  ["preview", "Preview", "new"],
  ["launch", "Launch", "new"],
  ["jobs", "Jobs", "jobs"],
];

class StepsView extends View {
  constructor(model, el) {
    super(model, el, "steps", "Steps");
    this.node.append(this.makeBrand(), this.makeNav());
    this.ours = document.documentElement.dataset.chimera === "page";
    this.hear({ "change:page": () => this.show(), "change:job_id": () => this.show() });
    this.onPop = () => this.readAddress();
    if (this.ours) {
      window.addEventListener("popstate", this.onPop);
      this.readAddress();
    }
    // The dashboard is around us once the whole of it is on the page.
    this.frame = requestAnimationFrame(() => this.show(false));
  }

  close() {
    super.close();
    cancelAnimationFrame(this.frame);
    window.removeEventListener("popstate", this.onPop);
  }

  makeBrand() {
    const brand = make("h1", "ch-brand");
    brand.append(make("span", "ch-mark", "", { "aria-hidden": "true" }), make("span", "ch-brand-name", "chimera"));
    return brand;
  }

  makeNav() {
    const nav = make("nav", "ch-steps-nav", "", { "aria-label": "Steps" });
    this.links = STEPS.map(([name, title, page], at) => {
      const link = make("a", "ch-step", "", { href: page === "jobs" ? "?jobs" : `#${name}` });
      link.append(make("span", "ch-step-number", String(at + 1), { "aria-hidden": "true" }), title);
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        this.go(name, page);
      });
      nav.append(link);
      return link;
    });
    return nav;
  }

  go(name, page) {
    this.at = name;
    this.reading = true;
    this.model.set("page", page);
    this.model.set("job_id", "");
    this.reading = false;
    this.model.save_changes();
    this.show();
    const part = this.dashboard()?.querySelector(`.ch-part-${name}`);
    part?.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth", block: "start" });
  }

  dashboard() {
    return this.node.closest(".ch-dashboard");
  }

  /** Show what the model says; `told` when it is new, and belongs in the address. */
  show(told = true) {
    const page = this.model.get("page");
    const jobId = this.model.get("job_id");
    const dashboard = this.dashboard();
    if (dashboard) Object.assign(dashboard.dataset, { page, job: jobId ? "open" : "none" });
    STEPS.forEach(([name, , on], at) => {
      const current = page === on && (page === "jobs" || name === (this.at ?? "browse"));
      if (current) this.links[at].setAttribute("aria-current", "step");
      else this.links[at].removeAttribute("aria-current");
    });
    if (!this.ours) return;
    if (jobId && jobId !== this.jobId) window.scrollTo({ top: 0 });
    this.jobId = jobId;
    document.title = jobId ? `${jobId} · chimera` : page === "jobs" ? "Jobs · chimera" : "chimera";
    const wanted = jobId ? `?job=${encodeURIComponent(jobId)}` : page === "jobs" ? "?jobs" : "";
    if (told && !this.reading && wanted !== this.query()) history.pushState(null, "", this.address(wanted));
  }

  /** What of the address is ours. */
  query() {
    const asked = new URLSearchParams(location.search);
    if (asked.get("job")) return `?job=${encodeURIComponent(asked.get("job"))}`;
    return asked.has("jobs") ? "?jobs" : "";
  }

  /** The address with that in it, and with all else it has, such as a token. */
  address(wanted) {
    const asked = new URLSearchParams(location.search);
    asked.delete("job");
    asked.delete("jobs");
    const rest = asked.toString();
    return `${location.pathname}${wanted}${rest ? (wanted ? "&" : "?") + rest : ""}`;
  }

  readAddress() {
    const asked = new URLSearchParams(location.search);
    const jobId = asked.get("job") ?? "";
    this.at = undefined;
    this.reading = true; // each of these is told on its own, and none of them is news to the address
    this.model.set("page", jobId || asked.has("jobs") ? "jobs" : "new");
    this.model.set("job_id", jobId);
    this.model.save_changes();
    this.reading = false;
    this.show(false);
  }
}

export default {
  render({ model, el }) {
    const view = new StepsView(model, el);
    return () => view.close();
  },
};
