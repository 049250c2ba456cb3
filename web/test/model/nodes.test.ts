import { describe, expect, test } from "vitest";
import { foreignNode, foreignNodes, nodeLines, reduceNodes, rosterText } from "../../src/model/nodes.ts";
import type { NodeEvent, NodeRecord } from "../../src/protocol.ts";
import { info } from "../fixtures.ts";

/** In milliseconds. */
const NOW = 1_000_000;

function node(id: string, change: Partial<NodeRecord> = {}): NodeRecord {
  return { id, machine: `m-${id}`, cwd: "/srv", status: "active", kind: "pty_host", last_seen: NOW / 1000, ...change };
}

const LOCAL: NodeRecord = { id: "local", machine: "home", cwd: "/", status: "active", kind: "local" };

function line(record: NodeRecord): ReturnType<typeof nodeLines>[number] | undefined {
  return nodeLines([record], {}, NOW)[0];
}

describe("events change the nodes", () => {
  test("a first one tells all, whatever was known", () => {
    const init: NodeEvent = { event: "init", nodes: [node("b")], protocol_version: "1" };
    expect(reduceNodes([node("a")], init, NOW)).toEqual([node("b")]);
  });

  test("who joins again is there once, as it is now", () => {
    const nodes = reduceNodes([node("a"), node("b")], { event: "node_joined", node: node("a", { cwd: "/new" }) }, NOW);
    expect(nodes).toHaveLength(2);
    expect(nodes.find(({ id }) => id === "a")?.cwd).toBe("/new");
  });

  test("who goes offline stays, with the reason and the time", () => {
    const [gone, other] = reduceNodes([node("a", { suspect: true }), node("b")], { event: "node_offline", id: "a", why: "silent" }, NOW);
    expect(gone).toEqual(node("a", { status: "offline", why: "silent", offline_since: 1000 }));
    expect(other).toEqual(node("b"));
    const again = reduceNodes([node("a", { why: "lost" })], { event: "node_offline", id: "a" }, NOW);
    expect(again[0]).not.toHaveProperty("why");
  });

  test("who is removed is not there, and nobody minds an unknown one", () => {
    expect(reduceNodes([node("a"), node("b")], { event: "node_removed", id: "a" }, NOW)).toEqual([node("b")]);
    expect(reduceNodes([node("b")], { event: "node_offline", id: "x" }, NOW)).toEqual([node("b")]);
  });
});

describe("a line tells how a node is", () => {
  test("the gateway's own comes first, the others by name", () => {
    const lines = nodeLines([node("b"), LOCAL, node("a")], {}, NOW);
    expect(lines.map(({ id }) => id)).toEqual(["local", "a", "b"]);
    expect(lines[0]).toMatchObject({ health: "active", state: "this gateway’s own", unfit: undefined });
  });

  test("with its panes", () => {
    const panes = { p1: info(), p2: info({ node: "a" }), p3: info({ node: "a" }) };
    expect(nodeLines([LOCAL, node("a"), node("b")], panes, NOW).map((shown) => shown.panes)).toEqual(["1 pane", "2 panes", "0 panes"]);
  });

  test("and when it was seen last", () => {
    expect(line(node("a"))).toMatchObject({ health: "active", state: "active, seen just now", unfit: undefined });
    expect(line(node("a", { suspect: true, last_seen: NOW / 1000 - 12 }))).toMatchObject({
      health: "suspect",
      state: "silent, seen 12 s ago",
    });
    expect(line(node("a", { status: "offline", why: "lost", last_seen: NOW / 1000 - 180 }))).toMatchObject({
      health: "offline",
      state: "offline: its connection broke, seen 3 min ago",
      unfit: "a is offline",
    });
  });

  test("and why it is offline, in words", () => {
    const reasons = (["asleep", "lost", "silent", "left", "gateway_restarted", undefined] as const).map((why) => {
      const { last_seen: _, ...gone } = node("a", { status: "offline" });
      return line(why === undefined ? gone : { ...gone, why })?.state;
    });
    expect(new Set(reasons).size).toBe(reasons.length);
    expect(reasons[0]).toBe("offline: it went to sleep");
  });

  test("an agent takes no panes", () => {
    const { kind: _, ...agent } = node("a");
    expect(line(agent)?.unfit).toMatch(/agent/);
  });
});

test("only nodes that are not the gateway's own are named", () => {
  expect([info(), info({ node: "box-7" }), undefined].map(foreignNode)).toEqual(["", "box-7", ""]);
  expect(foreignNodes([info(), info({ node: "box-7" }), info({ node: "box-7" })])).toBe("box-7");
  expect(foreignNodes([info({ node: "a" }), info({ node: "b" })])).toBe("2 nodes");
  expect(foreignNodes([info(), undefined])).toBe("");
});

test("the roster says in words what no line can", () => {
  expect(rosterText({ state: "open" }, 1, NOW)).toBe("");
  expect(rosterText({ state: "open" }, 0, NOW)).toMatch(/^No node/);
  expect(rosterText({ state: "absent" }, 0, NOW)).toMatch(/does not tell of nodes/);
  const since = NOW - 300;
  expect([NOW - 1, NOW].map((now) => rosterText({ state: "connecting", since }, 0, now))).toEqual(["", "Connecting…"]);
  const waiting = { state: "waiting", reason: "Connection lost", retryAt: NOW + 2500 } as const;
  expect(rosterText(waiting, 0, NOW)).toBe("Connection lost; trying again in 3 s.");
  expect(rosterText(waiting, 2, NOW + 3000)).toMatch(/^Connection lost; trying again now\. .*out of date/);
});
