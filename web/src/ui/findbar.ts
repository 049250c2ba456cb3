// The bar that finds text in a pane's scrollback.

import type { Matches, Search, SearchMode } from "../term/search.ts";
import { el, iconButton, setText } from "./dom.ts";

/** What a find bar tells its owner. */
export interface FindEvents {
  /** It was opened: everything that there is will be looked through. */
  opened(): void;
  closed(): void;
}

/** The find bar of one pane. */
export class FindBar {
  readonly element: HTMLElement;
  #search: Search;
  #events: FindEvents;
  #input = el("input", { attrs: { type: "text", placeholder: "Find", spellcheck: "false", "aria-label": "Find" } });
  #count = el("span", { class: "find-count" });
  #mode: SearchMode = { caseSensitive: false, regex: false };

  constructor(search: Search, events: FindEvents) {
    this.#search = search;
    this.#events = events;
    this.element = el(
      "div",
      { class: "find-bar" },
      this.#input,
      this.#count,
      this.#toggle("Aa", "Match case", (on) => (this.#mode.caseSensitive = on)),
      this.#toggle(".*", "Regular expression", (on) => (this.#mode.regex = on)),
      iconButton("up", "Previous match (Shift+Enter)", () => this.#previous()),
      iconButton("chevron", "Next match (Enter)", () => this.#next(false)),
      iconButton("close", "Close (Escape)", () => this.close()),
    );
    this.element.hidden = true;
    this.#input.addEventListener("input", () => this.#next(true));
    this.element.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** Shows the bar, with the selection as its text if there is one on a single line. */
  open(selection: string): void {
    this.element.hidden = false;
    this.#events.opened();
    if (selection !== "" && !selection.includes("\n")) this.#input.value = selection;
    this.#input.focus();
    this.#input.select();
    if (this.#input.value !== "") this.#next(true);
  }

  close(): void {
    if (this.element.hidden) return;
    this.element.hidden = true;
    this.#search.clear();
    this.#events.closed();
  }

  /** The terminal's content was put in anew, and the marks are gone. */
  refresh(): void {
    if (!this.element.hidden && this.#input.value !== "") this.#next(true);
  }

  /** The search found something. */
  found({ index, count }: Matches): void {
    const none = this.#input.value !== "" && count === 0;
    this.#input.classList.toggle("none", none);
    setText(this.#count, this.#input.value === "" ? "" : none ? "no match" : index < 0 ? `${count}` : `${index + 1} of ${count}`);
  }

  #next(typing: boolean): void {
    this.#try(() => this.#search.next(this.#input.value, this.#mode, typing));
  }

  #previous(): void {
    this.#try(() => this.#search.previous(this.#input.value, this.#mode));
  }

  /** A regular expression may be unfinished while it is typed. */
  #try(search: () => void): void {
    if (this.#input.value === "") this.#search.clear();
    try {
      search();
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.#input.classList.add("none");
      setText(this.#count, "no such expression");
    }
  }

  #toggle(text: string, label: string, set: (on: boolean) => void): HTMLElement {
    const button = el("button", { class: "find-toggle", text, title: label, attrs: { type: "button", "aria-pressed": "false" } });
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      set(on);
      this.#next(true);
    });
    return button;
  }

  #onKey(event: KeyboardEvent): void {
    event.stopPropagation();
    if (event.key === "Escape") this.close();
    if (event.key !== "Enter" || event.target !== this.#input) return;
    if (event.shiftKey) this.#previous();
    else this.#next(false);
  }
}
