// Short messages at the edge that go away by themselves.

import { el } from "./dom.ts";

/** How long a toast stays, in milliseconds. */
const STAY_MS = 7_000;

/** The most toasts at a time; the oldest makes room. */
const MOST = 4;

/** The stack of toasts. */
export class Toasts {
  readonly element = el("div", { class: "toasts", attrs: { role: "status", "aria-live": "polite" } });
  #shown = new Map<string, { toast: HTMLElement; timer: ReturnType<typeof setTimeout> }>();

  /** Shows a message; one with the same text is not shown twice. `chosen` runs when it is clicked. */
  show(text: string, tone: "info" | "error" = "info", chosen?: () => void): void {
    this.#remove(text);
    const click = (): void => {
      this.#remove(text);
      chosen?.();
    };
    const toast = el("button", { class: `toast ${tone}`, text, attrs: { type: "button" }, click });
    this.#shown.set(text, { toast, timer: setTimeout(() => this.#remove(text), STAY_MS) });
    this.element.append(toast);
    const [oldest] = this.#shown.keys();
    if (this.#shown.size > MOST && oldest !== undefined) this.#remove(oldest);
  }

  #remove(text: string): void {
    const entry = this.#shown.get(text);
    if (!entry) return;
    clearTimeout(entry.timer);
    entry.toast.remove();
    this.#shown.delete(text);
  }
}
