// The page: puts its parts together and moves events between them.

import { Commands, type Page } from "./commands.ts";
import { Conversation } from "./conversation.ts";
import { Keyboard, MAC } from "./keyboard.ts";
import { Attention } from "./model/attention.ts";
import { bindings, type Command } from "./model/keys.ts";
import { activeSession, activeTab, deaths, focusedPane, type Model, visiblePanes } from "./model/model.ts";
import { Notifications } from "./model/notifications.ts";
import { longEnds } from "./model/shell.ts";
import { awaitsRetry } from "./model/status.ts";
import { lostText, notificationText, refusalText, tabLabel } from "./model/text.ts";
import { redirectToLogin } from "./net/login.ts";
import { hostPane } from "./panehost.ts";
import { copyText } from "./term/clipboard.ts";
import { AwayCard } from "./ui/awaycard.ts";
import { Banner } from "./ui/banner.ts";
import { askForNotifications, notify } from "./ui/desktop.ts";
import { confirmDialog } from "./ui/dialog.ts";
import { el, iconButton } from "./ui/dom.ts";
import { openHelp } from "./ui/help.ts";
import { showPageBadge } from "./ui/pagebadge.ts";
import { openPalette, type PaletteItem } from "./ui/palette.ts";
import { Pill } from "./ui/pill.ts";
import { Preferences } from "./ui/preferences.ts";
import { Roster } from "./ui/roster.ts";
import { SessionSwitcher } from "./ui/sessions.ts";
import { Stage } from "./ui/stage.ts";
import { TabBar } from "./ui/tabbar.ts";
import { Toasts } from "./ui/toasts.ts";
import { viewportCells } from "./ui/viewport.ts";

/** Where the page finds the gateway's sockets. */
export interface Urls {
  /** For panes. */
  mux: string;
  /** For nodes. */
  nodes: string;
}

/** The whole page. */
export class App implements Page {
  #conversation: Conversation;
  #commands: Commands;
  #preferences = new Preferences();
  #attention = new Attention();
  #notifications = new Notifications();
  #banner = new Banner();
  #toasts = new Toasts();
  #away = new AwayCard(() => this.#conversation.connect());
  #keyboard: Keyboard;
  #pill: Pill;
  #tabBar: TabBar;
  #sessions: SessionSwitcher;
  #roster: Roster;
  #stage: Stage;
  #empty: HTMLElement;

  constructor(root: HTMLElement, urls: Urls) {
    this.#conversation = this.#converse(urls.mux);
    this.#commands = new Commands(this);
    this.#keyboard = this.#makeKeyboard();
    this.#pill = new Pill(() => this.#conversation.connect());
    this.#tabBar = this.#makeTabBar();
    this.#sessions = this.#makeSessions();
    this.#roster = this.#makeRoster(urls.nodes);
    this.#stage = this.#makeStage();
    this.#empty = this.#makeEmpty();
    const bar = el("header", { class: "top-bar" }, this.#sessions.element, this.#tabBar.element, this.#tools());
    const body = el("div", { class: "stage-frame" }, this.#stage.element, this.#empty, this.#away.element);
    root.append(bar, this.#banner.element, body, this.#toasts.element);
    this.#preferences.onChange((look) => {
      this.#stage.setLook(look);
      this.#conversation.tellViewport();
    });
    document.addEventListener("visibilitychange", () => this.#showAttention());
    addEventListener("resize", () => this.#conversation.tellViewport());
    this.#conversation.connect();
  }

  get model(): Model {
    return this.#conversation.model;
  }

  get gateway(): Conversation["gateway"] {
    return this.#conversation.gateway;
  }

  get focusedPane(): string | undefined {
    return this.#stage.focusedPane;
  }

  confirm(title: string, text: string, confirm: string, yes: () => void): void {
    confirmDialog({ title, text, confirm }, yes, () => this.#refocus());
  }

  failed(error: Error): void {
    this.#toasts.show(error.message, "error");
  }

  tell(text: string): void {
    this.#toasts.show(text);
  }

  renameTab(tabId: string): void {
    this.#tabBar.rename(tabId);
  }

  renamePane(paneId: string): void {
    this.#stage.view(paneId)?.rename();
  }

  openSessions(): void {
    this.#sessions.open();
  }

  openNodes(): void {
    this.#roster.open();
  }

  openPalette(): void {
    openPalette(this.#paletteItems(), () => this.#refocus());
  }

  openHelp(): void {
    openHelp(MAC, () => this.#refocus());
  }

  find(): void {
    this.#stage.focused?.find();
  }

  copy(): void {
    const text = this.#stage.focused?.terminal.selection ?? "";
    if (text === "") return;
    void copyText(text).then((copied) => {
      if (!copied) this.#toasts.show("The browser did not allow copying.", "error");
    });
  }

  paste(): void {
    const pane = this.#stage.focused;
    const refused = (): void => this.#toasts.show("The browser did not allow reading the clipboard; press Ctrl+Shift+V.");
    // Pages that came over plain HTTP have no clipboard to ask.
    const clipboard: Clipboard | undefined = navigator.clipboard;
    clipboard ? clipboard.readText().then((text) => pane?.terminal.paste(text), refused) : refused();
  }

  clearScrollback(): void {
    const paneId = this.#stage.focusedPane;
    if (paneId === undefined) return;
    this.#stage.view(paneId)?.terminal.clear();
    this.#conversation.history.cleared(paneId);
  }

  toggleTheme(): void {
    this.#preferences.toggleTheme();
  }

  toggleNotifications(): void {
    if (this.#preferences.notify) {
      this.#preferences.notify = false;
      return this.#toasts.show("System notifications are off.");
    }
    void askForNotifications().then((allowed) => {
      this.#preferences.notify = allowed;
      if (allowed) this.#toasts.show("System notifications are on while nobody looks at this page.");
      else this.#toasts.show("The browser does not allow notifications here.", "error");
    });
  }

  stepFontSize(step: number): void {
    this.#preferences.stepFontSize(step);
  }

  #converse(url: string): Conversation {
    return new Conversation(url, {
      layout: (model, before) => this.#onLayout(model, before),
      panes: (model, before) => {
        this.#onPanes(model, before);
        this.#stage.refresh(model);
        this.#showAttention();
      },
      output: (paneId, piece) => this.#stage.view(paneId)?.terminal.write(piece),
      status: (status) => {
        this.#pill.setStatus(status);
        this.#away.show(status.state === "closed" ? status.farewell : undefined);
        if (status.state === "open") this.#banner.clear();
        document.documentElement.classList.toggle("offline", status.state !== "open");
      },
      notice: (code, message) => this.#banner.notice(code, message),
      refusal: (error) => this.#toasts.show(refusalText(error, this.model.panes), "error"),
      failed: (error) => this.failed(error),
      lost: (loss) => this.#toasts.show(lostText(loss, this.model.panes), "error"),
      held: (bytes) => this.#pill.setHeld(bytes),
      rejected: () => void redirectToLogin(),
      mayRestart: (paneId, wanted) => this.#stage.view(paneId)?.mayRestart(wanted) ?? false,
      viewport: () => viewportCells(this.#stage.room, this.#preferences.look.fontSize),
    });
  }

  #onLayout(model: Model, before: Model): void {
    if (before.known) for (const paneId of deaths(before, model)) this.#attention.mark(paneId, "death");
    this.#onPanes(model, before);
    this.#attention.retain((paneId) => paneId in model.channels);
    this.#notifications.retain((paneId) => paneId in model.channels);
    this.#commands.note(model);
    this.#sessions.show(model);
    this.#stage.show(model);
    this.#empty.hidden = activeTab(model) !== undefined;
    this.#showAttention();
  }

  /** What programs and shells told. */
  #onPanes(model: Model, before: Model): void {
    for (const paneId of longEnds(before.panes, model.panes)) this.#attention.mark(paneId, "done");
    for (const { paneId, notification } of this.#notifications.take(model.panes)) {
      const { title, body } = notificationText(notification, model.panes[paneId]);
      const show = (): void => this.gateway.act({ type: "pane_focus", paneId });
      this.#toasts.show([title, body].filter((part) => part !== "").join("\n"), "info", show);
      const unseen = document.visibilityState === "hidden";
      if (unseen && this.#preferences.notify) notify(title, body, paneId, show);
    }
  }

  #showAttention(): void {
    const hidden = document.visibilityState === "hidden";
    if (!hidden) this.#attention.seen(visiblePanes(this.model));
    this.#tabBar.show(this.model, this.#attention);
    const tab = activeTab(this.model);
    const name = [tab?.name, activeSession(this.model)?.name].filter((part) => part !== undefined).join(" · ");
    showPageBadge(name, hidden ? this.#attention.count : 0);
  }

  #refocus(): void {
    this.#stage.focus();
  }

  #onBell(paneId: string): void {
    this.#attention.mark(paneId, "bell");
    this.#stage.view(paneId)?.ring();
    this.#showAttention();
  }

  #makeKeyboard(): Keyboard {
    return new Keyboard({
      run: (command) => this.#commands.run(command),
      refocus: () => this.#refocus(),
      awaitsRetry: (paneId) => awaitsRetry(this.model.panes[paneId]?.status),
      respawn: (paneId) => this.gateway.act({ type: "pane_respawn", paneId }),
    });
  }

  #makeStage(): Stage {
    const { sizes, watches, history, gateway } = this.#conversation;
    return new Stage(this.model, this.#preferences.look, {
      pane: (paneId) =>
        hostPane(paneId, this.#conversation, this.#commands, {
          key: (event) => this.#keyboard.onPane(paneId, event),
          bell: () => this.#onBell(paneId),
        }),
      shown: (paneIds) => {
        watches.add(paneIds);
        history.shown(paneIds);
      },
      dropped: (paneId) => {
        watches.remove(paneId);
        history.remove(paneId);
        sizes.remove(paneId);
      },
      resize: async (tabId, resize) => {
        await gateway.ask({ type: "split_resize", tabId, ...resize });
      },
    });
  }

  #makeTabBar(): TabBar {
    const gateway = this.gateway;
    return new TabBar({
      select: (tabId) => {
        if (tabId !== this.model.activeTab) gateway.act({ type: "tab_switch", tabId });
        this.#refocus();
      },
      close: (tabId) => this.#commands.closeTab(tabId),
      create: () => this.#commands.newTab(),
      rename: (tabId, name) => gateway.act({ type: "tab_rename", tabId, name }),
      move: (tabId, index) => gateway.act({ type: "tab_move", tabId, index }),
      done: () => this.#refocus(),
    });
  }

  #makeSessions(): SessionSwitcher {
    const gateway = this.gateway;
    return new SessionSwitcher({
      select: (session) => this.#commands.selectSession(session),
      create: () => gateway.act({ type: "session_create" }),
      rename: (sessionId, name) => gateway.act({ type: "session_rename", sessionId, name }),
      close: (session) => this.#commands.closeSession(session),
      done: () => this.#refocus(),
    });
  }

  #makeRoster(url: string): Roster {
    return new Roster(url, {
      panes: () => this.model.panes,
      focusedPane: () => this.#stage.focusedPane,
      newTab: (place) => this.#commands.newTab(place),
      newPane: (place) => this.#commands.newPane(place),
      movePane: (node) => this.#commands.movePane(node),
      done: () => this.#refocus(),
    });
  }

  #makeEmpty(): HTMLElement {
    const create = el("button", { class: "button primary", text: "New session", attrs: { type: "button" } });
    create.addEventListener("click", () => this.#commands.newTab());
    const text = el("p", { text: "Nothing is open. A session holds tabs and panes, and outlives this page." });
    const empty = el("div", { class: "empty" }, el("div", { class: "empty-mark", text: "❯_" }), text, create);
    empty.hidden = true;
    return empty;
  }

  #tools(): HTMLElement {
    const run = (command: Command) => () => this.#commands.run(command);
    return el(
      "div",
      { class: "tools" },
      this.#pill.element,
      iconButton("search", "Find (Ctrl+Shift+F)", run("find")),
      iconButton("nodes", "Nodes (Ctrl+Shift+H)", run("nodes")),
      iconButton("command", "Command palette (Ctrl+Shift+K)", run("palette")),
      iconButton("theme", "Light or dark (Ctrl+Shift+L)", run("toggle-theme")),
      iconButton("help", "Keyboard help (Ctrl+Shift+/)", run("help")),
    );
  }

  #paletteItems(): PaletteItem[] {
    const { tabs, sessions } = this.model;
    const commands = bindings().filter(({ command }) => command !== "palette");
    return [
      ...commands.map(({ command, ...item }) => ({ ...item, run: () => this.#commands.run(command) })),
      ...tabs.map((tab) => ({
        label: tabLabel(tab.name, this.model.panes[focusedPane(tab) ?? ""]),
        group: "Go to tab",
        keys: "",
        run: () => this.gateway.act({ type: "tab_switch", tabId: tab.id }),
      })),
      ...sessions.map((session) => ({
        label: session.name,
        group: "Go to session",
        keys: "",
        run: () => this.#commands.selectSession(session),
      })),
    ];
  }
}
