// The part of the page that shows the active tab's panes.

import { activeTab, focusedPane, type Model, visiblePanes } from "../model/model.ts";
import { Recent } from "../model/recent.ts";
import { type Arrangement, arrange, panesOf, type Rect, ratiosAt, withRatios } from "../model/tree.ts";
import type { Tab } from "../protocol.ts";
import type { Look } from "../term/paneterminal.ts";
import { Dividers, type Resize } from "./dividers.ts";
import { el } from "./dom.ts";
import { type PaneEvents, PaneView } from "./paneview.ts";

/** Between panes, in pixels. */
const GAP_PX = 6;

/** How many panes keep their terminal, so that going back to them is instant. */
const MOST_TERMINALS = 64;

/** What the stage asks for. */
export interface StageEvents {
  /** What a pane may ask for. */
  pane(paneId: string): PaneEvents;
  /** These panes are shown now; those that were shown before may have been. */
  shown(paneIds: string[]): void;
  /** A pane's terminal is gone. */
  dropped(paneId: string): void;
  /** A stack is to get other ratios; resolves when the gateway has them or has refused. */
  resize(tabId: string, resize: Resize): Promise<void>;
}

/** The stage. */
export class Stage {
  readonly element = el("main", { class: "stage" });
  #events: StageEvents;
  #look: Look;
  #model: Model;
  #views = new Map<string, PaneView>();
  #recent = new Recent();
  #dividers: Dividers;
  /** Ratios that are not in the gateway's layout yet; `settled`: they are in the next one. */
  #draft: (Resize & { tabId: string; settled: boolean }) | undefined;
  /** Counts what was asked of the gateway about the draft. */
  #asked = 0;
  /** The pane with the focus in the layout. */
  #focused: string | undefined;

  constructor(model: Model, look: Look, events: StageEvents) {
    this.#model = model;
    this.#look = look;
    this.#events = events;
    this.#dividers = new Dividers({
      ratios: (path) => this.#ratios(path),
      preview: (resize) => this.#preview(resize),
      resize: (resize, last) => this.#resize(resize, last),
    });
    this.element.append(this.#dividers.element);
    new ResizeObserver(() => this.#arrange()).observe(this.element);
  }

  /** The pane that keys go to. After a click that is the one clicked at, before the gateway's layout says so. */
  get focusedPane(): string | undefined {
    const active = document.activeElement;
    for (const [paneId, view] of this.#views) if (view.element.contains(active)) return paneId;
    return this.#focused;
  }

  /** That pane's view. */
  get focused(): PaneView | undefined {
    const paneId = this.focusedPane;
    return paneId === undefined ? undefined : this.#views.get(paneId);
  }

  /** The element's size in pixels. */
  get room(): { width: number; height: number } {
    return { width: this.element.clientWidth, height: this.element.clientHeight };
  }

  /** A pane's view, if it has been shown. */
  view(paneId: string): PaneView | undefined {
    return this.#views.get(paneId);
  }

  /** Shows a new state of the layout. */
  show(model: Model): void {
    this.#model = model;
    if (this.#draft?.settled) this.#draft = undefined;
    for (const paneId of [...this.#views.keys()]) {
      if (!(paneId in model.channels)) this.#drop(paneId);
    }
    for (const paneId of visiblePanes(model)) this.#ensure(paneId);
    this.#arrange();
    this.#update();
    this.#forget();
    this.#events.shown(visiblePanes(model));
    this.#followFocus();
  }

  /** Shows panes as they are now; nothing has moved. */
  refresh(model: Model): void {
    this.#model = model;
    this.#update();
  }

  /** Gives the keyboard to the pane that keys go to, unless somebody writes elsewhere. */
  focus(): void {
    if (!isWritingElsewhere()) this.focused?.focus();
  }

  setLook(look: Look): void {
    this.#look = look;
    for (const view of this.#views.values()) view.setLook(look);
  }

  #ensure(paneId: string): void {
    if (this.#views.has(paneId)) return;
    const view = new PaneView(this.#look, this.#events.pane(paneId));
    this.#views.set(paneId, view);
    this.element.append(view.element);
  }

  #drop(paneId: string): void {
    this.#views.get(paneId)?.dispose();
    this.#views.delete(paneId);
    this.#recent.remove(paneId);
    this.#events.dropped(paneId);
  }

  /** Drops the terminals that were not looked at for longest. */
  #forget(): void {
    const shown = visiblePanes(this.#model);
    this.#recent.touch(shown);
    for (const paneId of this.#recent.beyond(Math.max(MOST_TERMINALS, shown.length))) this.#drop(paneId);
  }

  #arrange(): void {
    const { width, height } = this.room;
    const tab = activeTab(this.#model);
    if (width === 0 || height === 0) return;
    const area = { left: 0, top: 0, width, height };
    const { panes, dividers } = tab ? this.#arrangement(tab, area) : { panes: new Map<string, Rect>(), dividers: [] };
    for (const [paneId, view] of this.#views) view.place(panes.get(paneId));
    this.#dividers.show(dividers);
  }

  #arrangement(tab: Tab, area: Rect): Arrangement {
    if (tab.zoomed !== null) return { panes: new Map([[tab.zoomed, area]]), dividers: [] };
    const draft = this.#draft?.tabId === tab.id ? this.#draft : undefined;
    const root = draft ? withRatios(tab.layout.root, draft.path, draft.ratios) : tab.layout.root;
    return arrange(root, area, GAP_PX);
  }

  #update(): void {
    const tab = activeTab(this.#model);
    const focused = focusedPane(tab);
    const alone = tab !== undefined && panesOf(tab.layout.root).length === 1;
    // Hidden ones too: they are as they should be when they are shown.
    for (const [paneId, view] of this.#views) {
      view.update({
        info: this.#model.panes[paneId],
        connected: this.#model.connected[paneId] ?? false,
        focused: paneId === focused,
        zoomed: tab?.zoomed === paneId,
        alone,
      });
    }
  }

  /** Takes the keyboard to the focused pane when the focus has moved, unless somebody writes elsewhere. */
  #followFocus(): void {
    const focused = focusedPane(activeTab(this.#model));
    if (focused === this.#focused) return;
    this.#focused = focused;
    if (focused !== undefined && !isWritingElsewhere()) this.#views.get(focused)?.focus();
  }

  #ratios(path: number[]): number[] | undefined {
    const tab = activeTab(this.#model);
    return tab && ratiosAt(tab.layout.root, path);
  }

  #preview(resize: Resize): void {
    const tab = activeTab(this.#model);
    if (!tab) return;
    this.#draft = { ...resize, tabId: tab.id, settled: false };
    this.#arrange();
  }

  #resize(resize: Resize, last: boolean): void {
    const tabId = this.#draft?.tabId ?? this.#model.activeTab;
    if (tabId === null) return;
    this.#asked += 1;
    const asked = this.#asked;
    // An older answer says nothing of the draft: the divider would jump back under the pointer.
    const isNewest = (): boolean => last && asked === this.#asked;
    const settle = (): void => {
      if (isNewest() && this.#draft) this.#draft.settled = true;
    };
    const revert = (): void => {
      if (!isNewest()) return;
      this.#draft = undefined;
      this.#arrange();
    };
    this.#events.resize(tabId, resize).then(settle, revert);
  }
}

/** Whether keys go to a text field or a dialog. A terminal's own field is a `textarea`. */
function isWritingElsewhere(): boolean {
  return document.activeElement instanceof HTMLInputElement || document.querySelector("dialog[open]") !== null;
}
