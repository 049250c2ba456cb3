// A thin bar that shows how far a program says it is.

import type { Progress } from "../protocol.ts";
import { el } from "./dom.ts";

/** One bar. */
export class ProgressBar {
  #fill = el("div", { class: "progress-fill" });
  readonly element = el("div", { class: "progress", attrs: { role: "progressbar" } }, this.#fill);

  constructor() {
    this.show(undefined);
  }

  /** Shows a progress, or nothing. */
  show(progress: Progress | undefined): void {
    this.element.hidden = progress === undefined;
    if (!progress) return;
    const percent = Math.min(Math.max(progress.percent, 0), 100);
    const known = progress.state !== "indeterminate";
    this.element.dataset["state"] = progress.state;
    this.#fill.style.width = known ? `${percent}%` : "";
    if (known) this.element.setAttribute("aria-valuenow", String(percent));
    else this.element.removeAttribute("aria-valuenow");
  }
}
