// What panes ask for, brought to the gateway.

import type { Commands } from "./commands.ts";
import type { Conversation } from "./conversation.ts";
import { activeTab, focusedPane } from "./model/model.ts";
import type { PaneEvents } from "./ui/paneview.ts";

/** What a pane tells that does not go to the gateway. */
export type PageEvents = Pick<PaneEvents, "key" | "bell">;

/** The ears of one pane. */
export function hostPane(paneId: string, conversation: Conversation, commands: Commands, page: PageEvents): PaneEvents {
  const { sender, sizes, watches, history, gateway } = conversation;
  return {
    ...page,
    input: (text) => conversation.type(paneId, text),
    report: (bytes) => sender.report(paneId, bytes),
    parsed: (piece, idle) => {
      watches.parsed(paneId, piece, idle);
      if (piece.kind === "output") history.output(paneId);
    },
    restarted: (asked, rows) => history.restarted(paneId, asked, rows),
    lookedUp: (atTop) => history.lookedUp(paneId, atTop),
    searched: () => history.searched(paneId),
    measured: (cells) => sizes.measured(paneId, cells),
    focus: () => {
      if (focusedPane(activeTab(conversation.model)) !== paneId) gateway.mention({ type: "pane_focus", paneId });
    },
    splitRight: () => commands.split(paneId, "horizontal"),
    splitDown: () => commands.split(paneId, "vertical"),
    close: () => commands.closePane(paneId),
    zoom: () => gateway.act({ type: "pane_zoom", paneId }),
    rename: (name) => gateway.act(name === "" ? { type: "pane_rename", paneId } : { type: "pane_rename", paneId, name }),
    respawn: () => gateway.act({ type: "pane_respawn", paneId }),
    discard: () => {
      // What this page still holds would otherwise fill the gap.
      sender.discard(paneId);
      gateway.act({ type: "pane_discard", paneId });
    },
  };
}
