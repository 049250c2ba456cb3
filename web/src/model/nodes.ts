// The nodes that the gateway knows, as the roster lists them.

import type { NodeEvent, NodeRecord, OfflineCause, PaneInfo } from "../protocol.ts";
import { ago, secondsUntil } from "./text.ts";

/** The id of the gateway's own node. */
export const LOCAL_NODE = "local";

/** Where something new starts. */
export interface Place {
  node: string;
  cwd: string;
}

/** The nodes after an event; `now` in milliseconds since the Unix epoch. */
export function reduceNodes(nodes: NodeRecord[], event: NodeEvent, now: number): NodeRecord[] {
  switch (event.event) {
    case "init":
      return event.nodes;
    case "node_joined":
      return [...without(nodes, event.node.id), event.node];
    case "node_offline":
      return nodes.map((node) => (node.id === event.id ? offline(node, event.why, now) : node));
    case "node_removed":
      return without(nodes, event.id);
  }
}

function without(nodes: NodeRecord[], id: string): NodeRecord[] {
  return nodes.filter((node) => node.id !== id);
}

function offline({ why: _, suspect: __, ...node }: NodeRecord, why: OfflineCause | undefined, now: number): NodeRecord {
  const gone = { ...node, status: "offline", offline_since: Math.floor(now / 1000) } as const;
  return why === undefined ? gone : { ...gone, why };
}

/** How a node is, for the colour of its dot. */
export type NodeHealth = "active" | "suspect" | "offline";

/** One line of the roster. */
export interface NodeLine {
  id: string;
  health: NodeHealth;
  /** Its health in words, with the reason and the time. */
  state: string;
  machine: string;
  cwd: string;
  /** How many panes are on it, in words. */
  panes: string;
  /** Whether panes can be started on it now; if not, why. */
  unfit: string | undefined;
}

/** The lines of the roster: the gateway's own node first, the others by name. `now` in milliseconds since the Unix epoch. */
export function nodeLines(nodes: NodeRecord[], panes: Record<string, PaneInfo>, now: number): NodeLine[] {
  const counts = paneCounts(panes);
  const sorted = [...nodes].sort((one, other) => rank(one) - rank(other) || (one.id < other.id ? -1 : 1));
  return sorted.map((node) => ({
    id: node.id,
    health: health(node),
    state: stateText(node, now),
    machine: node.machine,
    cwd: node.cwd,
    panes: paneCount(counts.get(node.id) ?? 0),
    unfit: unfit(node),
  }));
}

function rank(node: NodeRecord): number {
  return node.kind === "local" ? 0 : 1;
}

function health(node: NodeRecord): NodeHealth {
  if (node.status === "offline") return "offline";
  return node.suspect === true ? "suspect" : "active";
}

function stateText(node: NodeRecord, now: number): string {
  if (node.kind === "local") return "this gateway’s own";
  const seen = node.last_seen === undefined ? "" : `, seen ${ago(node.last_seen * 1000, now)}`;
  switch (health(node)) {
    case "active":
      return `active${seen}`;
    case "suspect":
      return `silent${seen}`;
    case "offline":
      return `offline: ${offlineCause(node.why)}${seen}`;
  }
}

function offlineCause(why: OfflineCause | undefined): string {
  switch (why) {
    case "asleep":
      return "it went to sleep";
    case "lost":
      return "its connection broke";
    case "silent":
      return "nothing was heard of it";
    case "left":
      return "it left";
    case "gateway_restarted":
      return "not back since the gateway restarted";
    default:
      return "it is not there";
  }
}

function unfit(node: NodeRecord): string | undefined {
  if (node.kind !== "local" && node.kind !== "pty_host") return `${node.id} is an agent; it hosts no panes`;
  return node.status === "offline" ? `${node.id} is offline` : undefined;
}

function paneCounts(panes: Record<string, PaneInfo>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { node } of Object.values(panes)) counts.set(node, (counts.get(node) ?? 0) + 1);
  return counts;
}

function paneCount(count: number): string {
  return count === 1 ? "1 pane" : `${count} panes`;
}

/** The name of a pane's node, unless it is the gateway's own. */
export function foreignNode(info: PaneInfo | undefined): string {
  return info === undefined || info.node === LOCAL_NODE ? "" : info.node;
}

/** The nodes of a tab's panes, besides the gateway's own: the name of one, the number of several. */
export function foreignNodes(infos: (PaneInfo | undefined)[]): string {
  const names = [...new Set(infos.map(foreignNode).filter((name) => name !== ""))];
  return names.length > 1 ? `${names.length} nodes` : (names[0] ?? "");
}

/** How the connection is that tells of nodes. Times are in milliseconds since the Unix epoch. */
export type NodesStatus =
  | { state: "connecting"; since: number }
  | { state: "open" }
  /** Down; the next try is `retryAt`. */
  | { state: "waiting"; reason: string; retryAt: number }
  /** The gateway does not tell of nodes at all. */
  | { state: "absent" };

/** How long a connection may take before that is said, in milliseconds: nobody needs a flash. */
const GRACE_MS = 300;

/** What the roster says besides its lines, of which there are `count`; empty if they say all. */
export function rosterText(status: NodesStatus, count: number, now: number): string {
  switch (status.state) {
    case "connecting":
      return now - status.since < GRACE_MS ? "" : "Connecting…";
    case "open":
      return count > 0 ? "" : "No node is known here. One joins with “everpane node --gateway URL”.";
    case "absent":
      return "This gateway does not tell of nodes: it has no /ws.";
    case "waiting": {
      const seconds = secondsUntil(status.retryAt, now);
      const stale = count > 0 ? " What is below may be out of date." : "";
      return `${status.reason}; trying again ${seconds > 0 ? `in ${seconds} s` : "now"}.${stale}`;
    }
  }
}
