// Generated from src/protocol by `EVERPANE_BLESS=1 cargo test --lib typescript`; do not edit.

/**
 * Which way a split puts its panes.
 */
export type SplitOrientation = "horizontal" | "vertical";

/**
 * A direction on the screen.
 */
export type Direction = "left" | "right" | "up" | "down";

/**
 * Where a new pane goes, seen from the one that is split.
 */
export type SplitSide = "before" | "after";

/**
 * Whose tab and focus a viewer looks at.
 */
export type ViewMode = "shared" | "own";

/**
 * Which input wakes a pane that has no terminal.
 */
export type WakePolicy = "any-key" | "enter" | "manual";

/**
 * Who decides the size of a pane's PTY.
 */
export type SizePolicy = { "policy": "latest" } | { "policy": "smallest" } | { "policy": "fixed", 
/**
 * Cells across.
 */
cols: number, 
/**
 * Cells down.
 */
rows: number, };

/**
 * A pane that a viewer wants the output of.
 */
export type WatchPane = { 
/**
 * The pane.
 */
paneId: string, 
/**
 * The offset of the first byte the viewer does not have; left out by one that has nothing.
 */
offset?: number, 
/**
 * How many rows of scrollback a snapshot brings along, at most as many as are kept.
 */
history?: number, 
/**
 * `true`: the viewer gets every byte from now on, and slows the program down instead of being sent a
 * snapshot when it is behind. For recorders and pipes.
 */
lossless?: boolean, };

/**
 * Says how much room the viewer has; sent first, and again when that changes.
 */
export type Connect = { 
/**
 * Cells across of the whole viewport.
 */
width: number, 
/**
 * Cells down of the whole viewport.
 */
height: number, 
/**
 * Whose tab and focus to look at. Native viewers only.
 */
view?: ViewMode, 
/**
 * `false`: this viewer never decides a pane's size. Native viewers only.
 */
sizing?: boolean, };

/**
 * Makes a session with one tab and one pane.
 */
export type SessionCreate = { 
/**
 * Left out: the gateway picks one.
 */
name?: string, 
/**
 * The node that its panes start on; left out: the gateway's own.
 */
node?: string, 
/**
 * The directory that it starts in; left out: as set for the node.
 */
cwd?: string, };

/**
 * Closes a session with all its tabs.
 */
export type SessionDestroy = { 
/**
 * The session.
 */
sessionId: string, };

/**
 * Renames a session.
 */
export type SessionRename = { 
/**
 * The session.
 */
sessionId: string, 
/**
 * Its new name.
 */
name: string, };

/**
 * Makes a tab with one pane and switches to it.
 */
export type TabCreate = { 
/**
 * The session it goes into.
 */
sessionId: string, 
/**
 * Left out: the gateway picks one.
 */
name?: string, 
/**
 * The node that its pane starts on; left out: the session's.
 */
node?: string, 
/**
 * The directory that it starts in; left out: that of the session's active pane, if on the same node.
 */
cwd?: string, };

/**
 * Closes a tab with all its panes.
 */
export type TabClose = { 
/**
 * The tab.
 */
tabId: string, };

/**
 * Renames a tab.
 */
export type TabRename = { 
/**
 * The tab.
 */
tabId: string, 
/**
 * Its new name.
 */
name: string, };

/**
 * Shows a tab.
 */
export type TabSwitch = { 
/**
 * The tab.
 */
tabId: string, };

/**
 * Moves a tab within its session or to another one.
 */
export type TabMove = { 
/**
 * The tab.
 */
tabId: string, 
/**
 * The session it goes to; left out: it stays in its own.
 */
sessionId?: string, 
/**
 * Its new place, counted from 0; past the end means last.
 */
index: number, };

/**
 * Splits a pane in two; the new one gets the focus.
 */
export type PaneSplit = { 
/**
 * The pane to split.
 */
paneId: string, 
/**
 * `horizontal`: side by side.
 */
orientation: SplitOrientation, 
/**
 * The new pane's size, if the viewer knows it.
 */
cols?: number, 
/**
 * The new pane's size, if the viewer knows it.
 */
rows?: number, 
/**
 * Which side the new pane goes to.
 */
side?: SplitSide, 
/**
 * The node that its terminals start on; left out: that of the pane that is split.
 */
node?: string, 
/**
 * The directory that it starts in; left out: that of the pane that is split, if on the same node.
 */
cwd?: string, };

/**
 * Closes a pane for good, with its terminal.
 */
export type PaneClose = { 
/**
 * The pane.
 */
paneId: string, 
/**
 * `true`: refuse with `pane_busy` if a program other than the shell runs in it.
 */
ifIdle?: boolean, };

/**
 * Says how large this viewer shows a pane.
 */
export type PaneResize = { 
/**
 * The pane.
 */
paneId: string, 
/**
 * Cells across.
 */
cols: number, 
/**
 * Cells down.
 */
rows: number, };

/**
 * Moves the focus: in a direction from the focused pane, or to a pane by id.
 */
export type PaneFocus = { 
/**
 * Where to, from the focused pane of the active tab.
 */
direction?: Direction, 
/**
 * Which pane; shows its tab too.
 */
paneId?: string, };

/**
 * Names a pane; without a name, it goes back to its program's title.
 */
export type PaneRename = { 
/**
 * The pane.
 */
paneId: string, 
/**
 * Its new name.
 */
name?: string, };

/**
 * Gives a pane the whole tab, or takes that back.
 */
export type PaneZoom = { 
/**
 * The pane.
 */
paneId: string, 
/**
 * Left out: the other of the two.
 */
zoomed?: boolean, };

/**
 * Exchanges the places of two panes.
 */
export type PaneSwap = { 
/**
 * One.
 */
paneId: string, 
/**
 * The other.
 */
withPaneId: string, };

/**
 * Moves a pane to another tab, beside that tab's focused pane.
 */
export type PaneMove = { 
/**
 * The pane.
 */
paneId: string, 
/**
 * The tab; left out: a new tab of the same session.
 */
tabId?: string, 
/**
 * How it is put beside that pane.
 */
orientation?: SplitOrientation, };

/**
 * Moves a pane's edge.
 */
export type PaneGrow = { 
/**
 * The pane.
 */
paneId: string, 
/**
 * Which way its edge moves.
 */
direction: Direction, 
/**
 * How far, in thousandths of the tab.
 */
amount: number, };

/**
 * Sets the ratios of one split, as when a divider is dragged.
 */
export type SplitResize = { 
/**
 * The tab.
 */
tabId: string, 
/**
 * Child indices from the root to the split.
 */
path: Array<number>, 
/**
 * One ratio per child, greater than 0; they are scaled to sum to 1.
 */
ratios: Array<number>, };

/**
 * Starts a new terminal in a pane that has none, whatever its wake policy, at once.
 */
export type PaneRespawn = { 
/**
 * The pane.
 */
paneId: string, };

/**
 * Throws away the input that is held for a pane.
 */
export type PaneDiscard = { 
/**
 * The pane.
 */
paneId: string, };

/**
 * Changes settings of a pane; what is left out stays.
 */
export type PaneSet = { 
/**
 * The pane.
 */
paneId: string, 
/**
 * Which input wakes it.
 */
wake?: WakePolicy, 
/**
 * Close the pane when its program exits.
 */
closeOnExit?: boolean, 
/**
 * Who decides its size.
 */
size?: SizePolicy, 
/**
 * The node that its next terminal starts on; one that it has stays where it is.
 */
node?: string, };

/**
 * Asks for the output of panes, from an offset on. Native viewers only: compact ones get every pane.
 */
export type PaneWatch = { 
/**
 * The panes.
 */
panes: Array<WatchPane>, };

/**
 * Ends a watch.
 */
export type PaneUnwatch = { 
/**
 * The panes.
 */
paneIds: Array<string>, };

/**
 * Lends the gateway the terminal that the client's own process is in, so that keys and their echoes go through no
 * other process: see `terminal_lent`. Native viewers on the gateway's machine only.
 */
export type TerminalLend = { 
/**
 * The pane that the terminal shows.
 */
paneId: string, 
/**
 * The offset after the last byte that it shows.
 */
offset: number, 
/**
 * The number of the terminal's device, as `stat` tells it (`st_rdev`).
 */
device: number, 
/**
 * What only the client knows the meaning of: what is typed with one of these in it comes back to the client.
 */
stops: Array<string>, };

/**
 * Asks for the terminal back.
 */
export type TerminalTakeBack = Record<symbol, never>;

/**
 * Says that every message up to a layout revision was taken in, so that channels of panes closed before
 * it may be used again.
 */
export type LayoutSeen = { 
/**
 * The revision of the newest `state` or `layout_update` taken in.
 */
revision: number, };

/**
 * Says who the viewer is over all its connections, so that numbered input that is sent again is taken once.
 * The first message of a connection that sends any. Native viewers only.
 */
export type Resume = { 
/**
 * A name that nobody else can guess, 16 to 64 characters of `A-Z a-z 0-9 _ -`.
 */
client: string, };

/**
 * Asks for a `pong`.
 */
export type Ping = Record<symbol, never>;

/**
 * A control message from a viewer: JSON with its name in `type`.
 */
export type ClientMessage = { "type": "connect" } & Connect | { "type": "session_create" } & SessionCreate | { "type": "session_destroy" } & SessionDestroy | { "type": "session_rename" } & SessionRename | { "type": "tab_create" } & TabCreate | { "type": "tab_close" } & TabClose | { "type": "tab_rename" } & TabRename | { "type": "tab_switch" } & TabSwitch | { "type": "tab_move" } & TabMove | { "type": "pane_split" } & PaneSplit | { "type": "pane_close" } & PaneClose | { "type": "pane_resize" } & PaneResize | { "type": "pane_focus" } & PaneFocus | { "type": "pane_rename" } & PaneRename | { "type": "pane_zoom" } & PaneZoom | { "type": "pane_swap" } & PaneSwap | { "type": "pane_move" } & PaneMove | { "type": "pane_grow" } & PaneGrow | { "type": "split_resize" } & SplitResize | { "type": "pane_respawn" } & PaneRespawn | { "type": "pane_discard" } & PaneDiscard | { "type": "pane_set" } & PaneSet | { "type": "pane_watch" } & PaneWatch | { "type": "pane_unwatch" } & PaneUnwatch | { "type": "layout_seen" } & LayoutSeen | { "type": "resume" } & Resume | { "type": "terminal_lend" } & TerminalLend | { "type": "terminal_take_back" } & TerminalTakeBack | { "type": "ping" } & Ping;

/**
 * A session, as viewers see it.
 */
export type Session = { 
/**
 * Its id.
 */
id: string, 
/**
 * The node its new panes start on.
 */
sandboxId: string, 
/**
 * Its name.
 */
name: string, 
/**
 * When it was made, in milliseconds since the Unix epoch.
 */
createdAt: number, };

/**
 * How a stack's children lie. The words are the wire's: a *vertical* stack has vertical dividers.
 */
export type StackOrientation = "vertical" | "horizontal";

/**
 * One place in a tab's tree.
 */
export type LayoutTree = { "tag": "stack", 
/**
 * How they lie.
 */
orientation: StackOrientation, 
/**
 * The children, left to right or top to bottom.
 */
children: Array<LayoutTree>, 
/**
 * Each child's share; they sum to 1.
 */
ratios: Array<number>, } | { "tag": "window", 
/**
 * Which.
 */
key: string, };

/**
 * A tab's tree.
 */
export type TabLayout = { 
/**
 * The whole tab.
 */
root: LayoutTree, };

/**
 * A tab, as viewers see it.
 */
export type Tab = { 
/**
 * Its id.
 */
id: string, 
/**
 * The session it belongs to.
 */
sessionId: string, 
/**
 * Its name.
 */
name: string, 
/**
 * Its panes.
 */
layout: TabLayout, 
/**
 * The focused pane, as child indices from the root.
 */
focus: Array<number>, 
/**
 * The pane that has the whole tab, if one does.
 */
zoomed: string | null, };

/**
 * Why a pane is connected, or why it is not.
 */
export type PaneStatus = { "state": "live" } | { "state": "starting" } | { "state": "exited", 
/**
 * The exit code.
 */
code?: number, 
/**
 * The signal's name, such as `SIGKILL`.
 */
signal?: string, 
/**
 * When, in milliseconds since the Unix epoch.
 */
at: number, } | { "state": "failed", 
/**
 * Why.
 */
reason: string, 
/**
 * When the next input may try again, in milliseconds since the Unix epoch; left out once the gateway
 * has given up and waits for `pane_respawn`.
 */
retryAt?: number, } | { "state": "lost", 
/**
 * Since when, in milliseconds since the Unix epoch.
 */
since: number, 
/**
 * Why the node could not be woken, if that was tried.
 */
reason?: string, } | { "state": "asleep", 
/**
 * Since when, in milliseconds since the Unix epoch.
 */
since: number, 
/**
 * Why the node could not be woken, if that was tried.
 */
reason?: string, } | { "state": "waking", 
/**
 * Which attempt this is, from 1.
 */
attempt: number, 
/**
 * Since when it is being woken, in milliseconds since the Unix epoch.
 */
since: number, };

/**
 * What a pane's shell is doing, told by its prompt marks (OSC 133).
 */
export type ShellState = { 
/**
 * Whether a command runs; else the shell waits at its prompt.
 */
running: boolean, 
/**
 * The exit code of the last command that ended, if the shell told it.
 */
exit?: number, 
/**
 * The command that runs or ran last, if the shell told it.
 */
command?: string, 
/**
 * When it began to be so, in milliseconds since the Unix epoch.
 */
since: number, };

/**
 * What kind of progress a program reports.
 */
export type ProgressState = "normal" | "error" | "indeterminate" | "paused";

/**
 * How far a pane's program says it is (OSC 9;4).
 */
export type Progress = { 
/**
 * What kind.
 */
state: ProgressState, 
/**
 * How far, 0 to 100.
 */
percent: number, };

/**
 * The last thing that a pane's program wanted people to notice (OSC 9, 777, 99).
 */
export type Notification = { 
/**
 * Counts the pane's notifications; whoever has seen this number has seen it.
 */
number: number, 
/**
 * Its heading; may be empty.
 */
title: string, 
/**
 * Its text.
 */
body: string, 
/**
 * When, in milliseconds since the Unix epoch.
 */
at: number, };

/**
 * What a native viewer is told of a pane besides its place.
 */
export type PaneInfo = { 
/**
 * The name somebody gave it.
 */
name: string | null, 
/**
 * The title its program set.
 */
title: string, 
/**
 * The directory its shell is in, if that is known.
 */
cwd: string | null, 
/**
 * Why it is connected, or why not.
 */
status: PaneStatus, 
/**
 * How many bytes of input are held for it.
 */
pending: number, 
/**
 * Its PTY's size: cells across.
 */
cols: number, 
/**
 * Its PTY's size: cells down.
 */
rows: number, 
/**
 * Which input wakes it.
 */
wake: WakePolicy, 
/**
 * Whether it closes when its program exits.
 */
closeOnExit: boolean, 
/**
 * Who decides its size.
 */
size: SizePolicy, 
/**
 * The node that its next terminal starts on.
 */
node: string, 
/**
 * The program that its terminals run, with its arguments, if that is not the shell.
 */
command?: Array<string>, 
/**
 * What its shell is doing, if the shell tells.
 */
shell?: ShellState, 
/**
 * How far its program says it is.
 */
progress?: Progress, 
/**
 * The last notification.
 */
notification?: Notification, };

/**
 * The whole layout with the sessions.
 */
export type State = { 
/**
 * All sessions.
 */
sessions: Array<Session>, 
/**
 * All tabs of all sessions, session by session, in their order.
 */
tabs: Array<Tab>, 
/**
 * The tab that is shown; `null` when there is none.
 */
activeTab: string | null, 
/**
 * Each pane's channel.
 */
channels: { [key in string]: number }, 
/**
 * Whether each pane has a terminal.
 */
connected: { [key in string]: boolean }, 
/**
 * Counts updates; only ever grows. Native viewers only.
 */
revision?: number, 
/**
 * More on each pane. Native viewers only.
 */
panes?: { [key in string]: PaneInfo }, };

/**
 * The whole layout.
 */
export type LayoutUpdate = { 
/**
 * All tabs of all sessions, session by session, in their order.
 */
tabs: Array<Tab>, 
/**
 * The tab that is shown; `null` when there is none.
 */
activeTab: string | null, 
/**
 * Each pane's channel.
 */
channels: { [key in string]: number }, 
/**
 * Whether each pane has a terminal.
 */
connected: { [key in string]: boolean }, 
/**
 * Counts updates; only ever grows. Native viewers only.
 */
revision?: number, 
/**
 * More on each pane. Native viewers only.
 */
panes?: { [key in string]: PaneInfo }, };

/**
 * A refusal. The connection lives on.
 */
export type ErrorMessage = { 
/**
 * What kind, for programs.
 */
code: string, 
/**
 * What was wrong and what to do, for people.
 */
message: string, 
/**
 * The offending field of the message, as a path.
 */
field?: string, 
/**
 * The pane it is about.
 */
paneId?: string, 
/**
 * How many bytes of input were not taken.
 */
bytes?: number, 
/**
 * The number of the input frame that was not taken, if it had one.
 */
number?: number, 
/**
 * Which giving back it is of all that the client was told of, counted from 1. Told again, it is the same.
 */
givenBack?: number, 
/**
 * The request it answers.
 */
requestId?: number, };

/**
 * A control message to a viewer: JSON with its name in `type`.
 */
export type ServerMessage = { "type": "hello", 
/**
 * The gateway's version.
 */
version: string, 
/**
 * This connection's id.
 */
viewerId: string, 
/**
 * The largest message it takes, in bytes.
 */
maxMessageBytes: number, } | { "type": "state" } & State | { "type": "layout_update" } & LayoutUpdate | { "type": "pane_update", 
/**
 * The panes that changed.
 */
panes: { [key in string]: PaneInfo }, } | { "type": "view", 
/**
 * Its tab.
 */
activeTab: string | null, 
/**
 * The focused pane of each tab it has looked at.
 */
focus: { [key in string]: string }, } | { "type": "watching", 
/**
 * The pane.
 */
paneId: string, 
/**
 * The offset of the first byte that will come.
 */
from: number, 
/**
 * The offset of the first byte that is new.
 */
head: number, 
/**
 * How many bytes after the viewer's offset will not come, since a snapshot takes their place. Left out
 * where that is not known: it had no offset, or one from before an end of the gateway that the pane's
 * program did not outlive.
 */
missed?: number, } | { "type": "resumed", 
/**
 * Whether the gateway knew this client before.
 */
known: boolean, 
/**
 * Which memory of this client it is. If the client began to count its input under another one, the gateway
 * has forgotten it since: nobody can tell whether input that was not acknowledged was taken, so it must not
 * be sent again.
 */
memory: number, 
/**
 * The number of the last input frame that was taken or refused; 0: none.
 */
applied: number, } | { "type": "input_ack", 
/**
 * The number.
 */
applied: number, } | { "type": "terminal_lent" } | { "type": "terminal_returned", 
/**
 * What was typed last and is for the client to look at; in base64.
 */
keys: string, 
/**
 * The last byte that was typed before that and passed on to the pane, if any was.
 */
passed?: number, 
/**
 * Why the gateway can't have the terminal, also later.
 */
refused?: string, } | { "type": "ok", 
/**
 * The request it answers.
 */
requestId: number, 
/**
 * The session it made.
 */
sessionId?: string, 
/**
 * The tab it made.
 */
tabId?: string, 
/**
 * The pane it made.
 */
paneId?: string, } | { "type": "error" } & ErrorMessage | { "type": "notice", 
/**
 * What kind, for programs; a later notice of the same code replaces it.
 */
code: string, 
/**
 * The text; empty when the matter is over.
 */
message: string, } | { "type": "pong", 
/**
 * The request it answers.
 */
requestId?: number, };

/**
 * Whether a node is there.
 */
export type NodeStatus = "active" | "offline";

/**
 * What a node is.
 */
export type NodeKind = "agent" | "pty_host" | "local";

/**
 * Why a node is offline.
 */
export type OfflineCause = "asleep" | "lost" | "silent" | "left" | "gateway_restarted";

/**
 * A node, as everyone is shown it. Times are in seconds since the Unix epoch.
 */
export type NodeRecord = { 
/**
 * Its id, which it chose.
 */
id: string, 
/**
 * The host name of its machine.
 */
machine: string, 
/**
 * Its working directory.
 */
cwd: string, 
/**
 * The local WebSocket port of an agent.
 */
port?: number, 
/**
 * Whether it is there.
 */
status: NodeStatus, 
/**
 * Its process.
 */
pid?: number, 
/**
 * When it went offline; only of one that is.
 */
offline_since?: number, 
/**
 * When it last gave a sign of life; none of the local node, which can't be without.
 */
last_seen?: number, 
/**
 * What it is.
 */
kind?: NodeKind, 
/**
 * Why it is offline; only of one that is.
 */
why?: OfflineCause, 
/**
 * `true`: active, but silent for longer than it should be.
 */
suspect?: boolean, 
/**
 * How many PTYs it says it has.
 */
panes?: number, 
/**
 * For how many seconds none of its PTYs was used, as it says.
 */
idle_secs?: number, };

/**
 * The result of `list_directories`.
 */
export type Directories = { 
/**
 * The folder that was listed.
 */
current: string, 
/**
 * The folders in it, by name.
 */
directories: Array<string>, };

/**
 * What everyone at `/ws` is told without asking.
 */
export type NodeEvent = { "event": "init", 
/**
 * All records.
 */
nodes: Array<NodeRecord>, 
/**
 * [`NODE_PROTOCOL_VERSION`].
 */
protocol_version: string, } | { "event": "node_joined", 
/**
 * Its record.
 */
node: NodeRecord, } | { "event": "node_offline", 
/**
 * Its id.
 */
id: string, 
/**
 * Why.
 */
why?: OfflineCause, } | { "event": "node_removed", 
/**
 * Its id.
 */
id: string, };
