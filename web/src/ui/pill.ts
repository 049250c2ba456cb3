// How the connection is, and how much waits for it. Shows nothing while all is well.

import { byteCount, secondsUntil } from "../model/text.ts";
import type { LinkStatus } from "../net/link.ts";
import { el, setText } from "./dom.ts";

/** How long a connection may take before the pill shows it, in milliseconds: nobody needs a flash. */
const GRACE_MS = 400;

/** The status pill. */
export class Pill {
  readonly element: HTMLButtonElement;
  #status: LinkStatus = { state: "connecting" };
  #since = performance.now();
  #held = 0;

  constructor(retry: () => void) {
    this.element = el("button", { class: "pill", attrs: { type: "button", "aria-live": "polite" }, click: retry });
    setInterval(() => this.#render(), 250);
  }

  setStatus(status: LinkStatus): void {
    if (status.state === "open" || this.#status.state === "open") this.#since = performance.now();
    this.#status = status;
    this.#render();
  }

  /** So many typed bytes wait to be sent. */
  setHeld(bytes: number): void {
    this.#held = bytes;
    this.#render();
  }

  #render(): void {
    const open = this.#status.state === "open";
    const early = performance.now() - this.#since < GRACE_MS && this.#held === 0;
    this.element.classList.toggle("shown", open ? this.#held > 0 : !early);
    this.element.classList.toggle("down", !open);
    setText(this.element, [this.#text(), this.#heldText()].filter((part) => part !== "").join(" · "));
    this.element.title = this.#status.state === "waiting" || this.#status.state === "closed" ? "Reconnect now" : "";
  }

  #text(): string {
    const status = this.#status;
    if (status.state === "open") return "";
    if (status.state === "connecting") return "Connecting…";
    if (status.state === "closed") return "Disconnected";
    const seconds = secondsUntil(status.retryAt, Date.now());
    return `${status.reason} · reconnecting ${seconds > 0 ? `in ${seconds} s` : "now"}`;
  }

  #heldText(): string {
    if (this.#held === 0) return "";
    return this.#status.state === "open" ? `sending ${byteCount(this.#held)}` : `${byteCount(this.#held)} kept`;
  }
}
