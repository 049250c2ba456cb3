// The card on a dimmed pane: why it has no terminal, and what brings one back.

import type { PaneInfo } from "../protocol.ts";
import { card } from "../model/status.ts";
import { byteCount } from "../model/text.ts";
import { el, setText } from "./dom.ts";

/** What a card asks for. */
export interface CardEvents {
  respawn(): void;
  discard(): void;
}

/** The card of one pane. */
export class DeadCard {
  readonly element: HTMLElement;
  #title = el("strong");
  #cause = el("span", { class: "card-cause" });
  #hint = el("span", { class: "card-hint" });
  /** Not for screen readers, which would tell every second. */
  #clock = el("span", { class: "card-clock", attrs: { "aria-hidden": "true" } });
  #button: HTMLButtonElement;
  #waiting = el("span");
  #pending: HTMLElement;
  #timer: ReturnType<typeof setInterval> | undefined;
  #info: PaneInfo | undefined;

  constructor(events: CardEvents) {
    const button = { attrs: { type: "button" }, class: "button small" };
    this.#button = el("button", { ...button, click: () => events.respawn() });
    this.#pending = el(
      "div",
      { class: "card-pending" },
      this.#waiting,
      el("button", { ...button, class: "button small quiet", text: "Discard", click: () => events.discard() }),
    );
    this.element = el(
      "div",
      { class: "dead-card", attrs: { role: "status" } },
      el("span", { class: "card-mark" }),
      el("div", { class: "card-text" }, el("div", { class: "card-line" }, this.#title, this.#hint, this.#clock), this.#cause),
      el("div", { class: "card-actions" }, this.#pending, this.#button),
    );
    this.element.hidden = true;
    // The terminal keeps the focus: the next key is for it.
    this.element.addEventListener("mousedown", (event) => event.preventDefault());
  }

  /** Shows the pane's state, or nothing for a pane that has a terminal. */
  update(info: PaneInfo | undefined, connected: boolean): void {
    this.#info = connected ? undefined : info;
    this.element.hidden = this.#info === undefined;
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (!this.#info) return;
    this.#render(this.#info);
    this.#timer = setInterval(() => this.#info && this.#render(this.#info), 1000);
  }

  /** Keeps the card off what was printed last: it may say why there is no terminal. */
  keepOff(low: boolean): void {
    this.element.classList.toggle("high", low);
  }

  dispose(): void {
    clearInterval(this.#timer);
  }

  #render(info: PaneInfo): void {
    const { tone, title, cause, hint, clock, button } = card(info, Date.now());
    this.element.dataset["tone"] = tone;
    setText(this.#title, title);
    setText(this.#cause, cause);
    setText(this.#hint, hint);
    setText(this.#clock, clock);
    setText(this.#button, button ?? "");
    this.#button.hidden = button === undefined;
    this.#pending.hidden = info.pending === 0;
    setText(this.#waiting, `${byteCount(info.pending)} waiting`);
  }
}
