// Small layouts for the tests.

import type { LayoutTree, LayoutUpdate, PaneInfo, Tab } from "../src/protocol.ts";

/** A pane of a tree. */
export function pane(key: string): LayoutTree {
  return { tag: "window", key };
}

/** Children side by side. */
export function row(ratios: number[], ...children: LayoutTree[]): LayoutTree {
  return { tag: "stack", orientation: "vertical", children, ratios };
}

/** Children one above the other. */
export function column(ratios: number[], ...children: LayoutTree[]): LayoutTree {
  return { tag: "stack", orientation: "horizontal", children, ratios };
}

/** A tab of session `s1`. */
export function tab(id: string, root: LayoutTree, change: Partial<Tab> = {}): Tab {
  return { id, sessionId: "s1", name: id, layout: { root }, focus: [], zoomed: null, ...change };
}

/** What is told of a live pane. */
export function info(change: Partial<PaneInfo> = {}): PaneInfo {
  return {
    name: null,
    title: "",
    cwd: null,
    status: { state: "live" },
    pending: 0,
    cols: 80,
    rows: 24,
    wake: "any-key",
    closeOnExit: false,
    size: { policy: "latest" },
    node: "local",
    ...change,
  };
}

/** A layout of one pane per tab, named p1, p2, … on channels 1, 2, …; all connected. */
export function layout(revision: number, tabs: string[], change: Partial<LayoutUpdate> = {}): LayoutUpdate {
  const panes = tabs.map((id) => id.replace("t", "p"));
  return {
    tabs: tabs.map((id, index) => tab(id, pane(panes[index] ?? ""))),
    activeTab: tabs[0] ?? null,
    channels: Object.fromEntries(panes.map((id, index) => [id, index + 1])),
    connected: Object.fromEntries(panes.map((id) => [id, true])),
    revision,
    panes: Object.fromEntries(panes.map((id) => [id, info()])),
    ...change,
  };
}
