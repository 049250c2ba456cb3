// The card in front of all panes while the page stays away: why, and what brings it back.

import { anyKeyReturns, type Farewell, farewellText } from "../model/farewell.ts";
import { el, setText } from "./dom.ts";

/** The card. */
export class AwayCard {
  readonly element: HTMLElement;
  #title = el("strong");
  #hint = el("span", { class: "card-hint" });
  #cause = el("span", { class: "card-cause" });
  #button: HTMLButtonElement;
  #farewell: Farewell | undefined;

  constructor(reconnect: () => void) {
    const click = (): void => {
      if (this.#farewell && anyKeyReturns(this.#farewell)) reconnect();
      else location.reload();
    };
    this.#button = el("button", { class: "button primary small", attrs: { type: "button" }, click });
    this.element = el(
      "div",
      { class: "away-card", attrs: { role: "alert" } },
      el("span", { class: "card-mark" }),
      el("div", { class: "card-text" }, el("div", { class: "card-line" }, this.#title, this.#hint), this.#cause),
      this.#button,
    );
    this.element.hidden = true;
    // The terminal keeps the focus: the next key is for it.
    this.element.addEventListener("mousedown", (event) => event.preventDefault());
  }

  /** Says why the page stays away, or nothing if it does not. */
  show(farewell: Farewell | undefined): void {
    this.#farewell = farewell;
    this.element.hidden = farewell === undefined;
    document.documentElement.classList.toggle("away", farewell !== undefined);
    if (!farewell) return;
    const { title, cause, hint, button } = farewellText(farewell);
    setText(this.#title, title);
    setText(this.#cause, cause);
    setText(this.#hint, hint);
    setText(this.#button, button);
  }
}
