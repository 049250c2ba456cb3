// The button that shows which session this is, and the list of all of them.

import { activeSession, type Model, tabsOf } from "../model/model.ts";
import type { Session } from "../protocol.ts";
import { el, setText, svgIcon } from "./dom.ts";
import { editInline } from "./inline.ts";
import { type MenuItem, openMenu } from "./menu.ts";

/** What the switcher asks for. */
export interface SessionEvents {
  select(session: Session): void;
  create(): void;
  rename(sessionId: string, name: string): void;
  close(session: Session): void;
  /** The switcher no longer needs the keyboard. */
  done(): void;
}

/** The session switcher. */
export class SessionSwitcher {
  readonly element: HTMLElement;
  #button: HTMLButtonElement;
  #label = el("span", { class: "session-label" });
  #events: SessionEvents;
  #model: Model | undefined;

  constructor(events: SessionEvents) {
    this.#events = events;
    const attrs = { type: "button", "aria-haspopup": "menu" };
    this.#button = el("button", { class: "session-button", title: "Sessions (Ctrl+Shift+S)", attrs, click: () => this.open() });
    this.#button.append(el("span", { class: "mark", text: "❯" }), this.#label, svgIcon("chevron"));
    this.element = el("div", { class: "session-switcher" }, this.#button);
  }

  show(model: Model): void {
    this.#model = model;
    setText(this.#label, activeSession(model)?.name ?? "Everpane");
  }

  /** Opens the list. */
  open(): void {
    const model = this.#model;
    if (!model) return;
    const current = activeSession(model);
    const sessions = model.sessions.map((session) => this.#item(session, model, session === current));
    const actions: MenuItem[] = [{ label: "New session", icon: "plus", run: () => this.#events.create() }];
    if (current) actions.push({ label: `Rename “${current.name}”`, icon: "edit", run: () => this.rename() });
    openMenu(this.#button, sessions.length > 0 ? [sessions, actions] : [actions], () => this.#events.done());
  }

  /** Opens a text field for the name of the session that is shown. */
  rename(): void {
    const current = this.#model && activeSession(this.#model);
    if (!current) return;
    const commit = (name: string): void => {
      if (name !== "") this.#events.rename(current.id, name);
    };
    editInline(this.#button, current.name, commit, () => this.#events.done());
  }

  #item(session: Session, model: Model, checked: boolean): MenuItem {
    const tabs = tabsOf(model, session.id).length;
    return {
      label: session.name,
      detail: tabs === 1 ? "1 tab" : `${tabs} tabs`,
      checked,
      extra: { icon: "close", label: `Close ${session.name}`, run: () => this.#events.close(session) },
      run: () => this.#events.select(session),
    };
  }
}
