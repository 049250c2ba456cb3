// What each command does: one message to the gateway, or something on this page.

import type { Command } from "./model/keys.ts";
import { activeSession, activeTab, type Model, neighbourTab, tabsOf } from "./model/model.ts";
import type { Place } from "./model/nodes.ts";
import { paneLabel } from "./model/text.ts";
import { panesOf } from "./model/tree.ts";
import type { Gateway } from "./net/gateway.ts";
import { RequestError } from "./net/requests.ts";
import type { Direction, Session } from "./protocol.ts";

/** How far a pane's edge moves by key, in thousandths of the tab. */
const GROW = 25;

/** The parts of the page that commands need. */
export interface Page {
  readonly model: Model;
  readonly gateway: Gateway;
  /** The pane that commands are meant for. */
  readonly focusedPane: string | undefined;
  /** Asks before something is lost. */
  confirm(title: string, text: string, confirm: string, yes: () => void): void;
  /** Tells of a failure. */
  failed(error: Error): void;
  /** Tells something that is good to know. */
  tell(text: string): void;
  renameTab(tabId: string): void;
  renamePane(paneId: string): void;
  openSessions(): void;
  openNodes(): void;
  openPalette(): void;
  openHelp(): void;
  find(): void;
  copy(): void;
  paste(): void;
  clearScrollback(): void;
  toggleTheme(): void;
  /** Lets the system show notifications while nobody looks at the page, or not any more. */
  toggleNotifications(): void;
  /** Larger or smaller; 0: the usual size. */
  stepFontSize(step: number): void;
}

/** All commands of one page. */
export class Commands {
  #page: Page;
  /** The tab that each session showed last. */
  #lastTab = new Map<string, string>();

  constructor(page: Page) {
    this.#page = page;
  }

  /** Runs a command. */
  run(command: Command): void {
    const [verb = "", object = ""] = command.split("-");
    switch (verb) {
      case "focus":
        return this.#act({ type: "pane_focus", direction: object as Direction });
      case "grow":
        return this.#onPane((paneId) => this.#act({ type: "pane_grow", paneId, direction: object as Direction, amount: GROW }));
      case "tab":
        return this.#selectNth(Number(object));
      default:
        return this.#runNamed(command);
    }
  }

  #runNamed(command: Command): void {
    const page = this.#page;
    switch (command) {
      case "new-tab":
        return this.newTab();
      case "close-tab":
        return this.#onTab((tabId) => this.closeTab(tabId));
      case "next-tab":
        return this.#step(1);
      case "previous-tab":
        return this.#step(-1);
      case "rename-tab":
        return this.#onTab((tabId) => page.renameTab(tabId));
      case "split-right":
        return this.#onPane((paneId) => this.split(paneId, "horizontal"));
      case "split-down":
        return this.#onPane((paneId) => this.split(paneId, "vertical"));
      case "close-pane":
        return this.#onPane((paneId) => this.closePane(paneId));
      case "zoom-pane":
        return this.#onPane((paneId) => this.#act({ type: "pane_zoom", paneId }));
      case "rename-pane":
        return this.#onPane((paneId) => page.renamePane(paneId));
      case "pane-to-new-tab":
        return this.#onPane((paneId) => this.#act({ type: "pane_move", paneId }));
      case "restart-pane":
        return this.#onPane((paneId) => this.#act({ type: "pane_respawn", paneId }));
      case "new-session":
        return this.#act({ type: "session_create" });
      case "switch-session":
        return page.openSessions();
      default:
        return this.#runLocal(command);
    }
  }

  /** What changes this page only. */
  #runLocal(command: Command): void {
    const page = this.#page;
    switch (command) {
      case "find":
        return page.find();
      case "copy":
        return page.copy();
      case "paste":
        return page.paste();
      case "clear-scrollback":
        return page.clearScrollback();
      case "larger-text":
        return page.stepFontSize(1);
      case "smaller-text":
        return page.stepFontSize(-1);
      case "default-text":
        return page.stepFontSize(0);
      case "toggle-theme":
        return page.toggleTheme();
      case "toggle-notifications":
        return page.toggleNotifications();
      case "nodes":
        return page.openNodes();
      case "palette":
        return page.openPalette();
      case "help":
        return page.openHelp();
    }
  }

  /** Remembers which tab a session shows. */
  note(model: Model): void {
    const tab = activeTab(model);
    if (tab) this.#lastTab.set(tab.sessionId, tab.id);
  }

  /** Makes a tab in the session that is shown, or a session if there is none; without a place, where they start by default. */
  newTab(place?: Place): void {
    const session = activeSession(this.#page.model);
    this.#act(session ? { type: "tab_create", sessionId: session.id, ...place } : { type: "session_create", ...place });
  }

  /** Shows a session: the tab that it showed last. */
  selectSession(session: Session): void {
    const tabs = tabsOf(this.#page.model, session.id);
    const last = tabs.find((tab) => tab.id === this.#lastTab.get(session.id)) ?? tabs[0];
    this.#act(last ? { type: "tab_switch", tabId: last.id } : { type: "tab_create", sessionId: session.id });
  }

  /** Closes a session after asking. */
  closeSession(session: Session): void {
    const tabs = tabsOf(this.#page.model, session.id).length;
    const text = `All its tabs (${tabs}) and whatever runs in them end, for every viewer.`;
    this.#page.confirm(`Close session “${session.name}”?`, text, "Close session", () =>
      this.#act({ type: "session_destroy", sessionId: session.id }),
    );
  }

  /** Splits a pane; `horizontal` puts the new one to its right. Without a place, it starts where the other is. */
  split(paneId: string, orientation: "horizontal" | "vertical", place?: Place): void {
    this.#act({ type: "pane_split", paneId, orientation, ...place });
  }

  /** Splits the focused pane; the new one is to its right, and somewhere else. */
  newPane(place: Place): void {
    this.#onPane((paneId) => this.split(paneId, "horizontal", place));
  }

  /** The focused pane's next terminal is to start on a node. */
  movePane(node: string): void {
    const page = this.#page;
    this.#onPane((paneId) => {
      const told = (): void => {
        const label = paneLabel(page.model.panes[paneId]);
        if (page.model.connected[paneId]) page.tell(`What runs in “${label}” stays where it is; what comes after it starts on ${node}.`);
      };
      page.gateway.ask({ type: "pane_set", paneId, node }).then(told, (error: Error) => page.failed(error));
    });
  }

  /** Closes a pane, after asking if something runs in it. */
  closePane(paneId: string): void {
    const { gateway } = this.#page;
    gateway.ask({ type: "pane_close", paneId, ifIdle: true }).catch((error: Error) => {
      if (!(error instanceof RequestError && error.code === "pane_busy")) return this.#page.failed(error);
      this.#page.confirm("Close pane?", error.message, "Close pane", () => this.#act({ type: "pane_close", paneId }));
    });
  }

  /** Closes a tab, after asking if it has several panes with terminals or something runs in its only one. */
  closeTab(tabId: string): void {
    const { model } = this.#page;
    const tab = model.tabs.find((candidate) => candidate.id === tabId);
    if (!tab) return;
    const panes = panesOf(tab.layout.root);
    const [only] = panes;
    if (panes.length === 1 && only !== undefined) return this.closePane(only);
    const close = (): void => this.#act({ type: "tab_close", tabId });
    const live = panes.filter((paneId) => model.connected[paneId]).length;
    if (live === 0) return close();
    const text = `It has ${panes.length} panes; whatever runs in them ends, for every viewer.`;
    this.#page.confirm(`Close tab “${tab.name}”?`, text, "Close tab", close);
  }

  #act(message: Parameters<Gateway["act"]>[0]): void {
    this.#page.gateway.act(message);
  }

  #onPane(run: (paneId: string) => void): void {
    const paneId = this.#page.focusedPane;
    if (paneId !== undefined) run(paneId);
  }

  #onTab(run: (tabId: string) => void): void {
    const { activeTab: tabId } = this.#page.model;
    if (tabId !== null) run(tabId);
  }

  #step(step: number): void {
    const tab = neighbourTab(this.#page.model, step);
    if (tab && tab.id !== this.#page.model.activeTab) this.#act({ type: "tab_switch", tabId: tab.id });
  }

  #selectNth(number: number): void {
    const { model } = this.#page;
    const tab = tabsOf(model, activeSession(model)?.id)[number - 1];
    if (tab) this.#act({ type: "tab_switch", tabId: tab.id });
  }
}
