// The shared layout as this page knows it: what the gateway said, folded together.

import type { LayoutUpdate, PaneInfo, ServerMessage, Session, Tab } from "../protocol.ts";
import { paneAt, panesOf } from "./tree.ts";

/** Everything the gateway told of sessions, tabs and panes. */
export interface Model {
  /** Whether a layout has arrived at all. */
  known: boolean;
  /** All sessions. */
  sessions: Session[];
  /** All tabs, session by session, in their order. */
  tabs: Tab[];
  /** The id of the tab that is shown. */
  activeTab: string | null;
  /** Each pane's channel. */
  channels: Record<string, number>;
  /** Whether each pane has a terminal. */
  connected: Record<string, boolean>;
  /** Counts layout changes; only ever grows. */
  revision: number;
  /** More on each pane. */
  panes: Record<string, PaneInfo>;
}

/** Before the gateway has said anything. */
export const EMPTY: Model = {
  known: false,
  sessions: [],
  tabs: [],
  activeTab: null,
  channels: {},
  connected: {},
  revision: 0,
  panes: {},
};

/** The model after a message; the same object if the message does not change it. */
export function reduce(model: Model, message: ServerMessage): Model {
  switch (message.type) {
    case "state":
      return { ...withLayout(model, message), sessions: message.sessions };
    case "layout_update":
      // One that was overtaken by a `state`.
      if (message.revision !== undefined && message.revision < model.revision) return model;
      return withLayout(model, message);
    case "pane_update":
      return { ...model, panes: openPanes({ ...model.panes, ...message.panes }, model.channels) };
    default:
      return model;
  }
}

function withLayout(model: Model, update: LayoutUpdate): Model {
  return {
    known: true,
    sessions: model.sessions,
    tabs: update.tabs,
    activeTab: update.activeTab,
    channels: update.channels,
    connected: update.connected,
    revision: update.revision ?? model.revision,
    panes: openPanes({ ...model.panes, ...update.panes }, update.channels),
  };
}

/** Without the panes that were closed. */
function openPanes(panes: Record<string, PaneInfo>, channels: Record<string, number>): Record<string, PaneInfo> {
  return Object.fromEntries(Object.entries(panes).filter(([paneId]) => paneId in channels));
}

/** The tab that is shown. */
export function activeTab(model: Model): Tab | undefined {
  return model.tabs.find((tab) => tab.id === model.activeTab);
}

/** The session that is shown. */
export function activeSession(model: Model): Session | undefined {
  const tab = activeTab(model) ?? model.tabs[0];
  return model.sessions.find((session) => session.id === tab?.sessionId) ?? model.sessions[0];
}

/** The tabs of a session, in their order. */
export function tabsOf(model: Model, sessionId: string | undefined): Tab[] {
  return model.tabs.filter((tab) => tab.sessionId === sessionId);
}

/** The panes that are shown: the zoomed one, or all of the active tab. */
export function visiblePanes(model: Model): string[] {
  const tab = activeTab(model);
  if (!tab) return [];
  return tab.zoomed === null ? panesOf(tab.layout.root) : [tab.zoomed];
}

/** The pane with the focus of a tab. */
export function focusedPane(tab: Tab | undefined): string | undefined {
  return tab && (tab.zoomed ?? paneAt(tab.layout.root, tab.focus));
}

/** The panes that had a terminal and have none any more. */
export function deaths(before: Model, after: Model): string[] {
  return Object.keys(after.connected).filter((paneId) => before.connected[paneId] && !after.connected[paneId]);
}

/** The tab `step` places after the active one in its session, round and round. */
export function neighbourTab(model: Model, step: number): Tab | undefined {
  const tabs = tabsOf(model, activeSession(model)?.id);
  const index = tabs.findIndex((tab) => tab.id === model.activeTab);
  return tabs[(index + step + tabs.length) % tabs.length];
}
