// What the gateway wants everybody to know, for as long as it is so.

import { el, iconButton } from "./dom.ts";

/** The banner above everything, one line per notice. */
export class Banner {
  readonly element = el("div", { class: "banner", attrs: { role: "alert" } });
  #lines = new Map<string, HTMLElement>();

  /** Shows a notice; a later one of the same code replaces it, and an empty text ends it. */
  notice(code: string, text: string): void {
    this.#lines.get(code)?.remove();
    this.#lines.delete(code);
    if (text === "") return;
    const line = el("div", { class: "banner-line" }, el("span", { text }));
    line.append(iconButton("close", "Dismiss", () => line.remove()));
    this.#lines.set(code, line);
    this.element.append(line);
  }

  /** A new connection tells all notices again. */
  clear(): void {
    this.#lines.clear();
    this.element.replaceChildren();
  }
}
