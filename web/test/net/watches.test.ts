import { describe, expect, test } from "vitest";
import type { OutputFrame } from "../../src/net/frame.ts";
import { Watches } from "../../src/net/watches.ts";
import type { ClientMessage } from "../../src/protocol.ts";

const MIB = 1 << 20;

function frame(offset: number, length: number): OutputFrame {
  return { kind: "output", offset, channel: 1, payload: new Uint8Array(length) };
}

function setUp(): { watches: Watches; told: ClientMessage[] } {
  const told: ClientMessage[] = [];
  return { watches: new Watches({ mention: (message) => told.push(message) }), told };
}

test("every pane is asked for once", () => {
  const { watches, told } = setUp();
  watches.add(["p1", "p2"]);
  watches.add(["p2", "p1"]);
  expect(told).toEqual([{ type: "pane_watch", panes: [{ paneId: "p1" }, { paneId: "p2" }] }]);
});

test("a new connection asks for the rest only", () => {
  const { watches, told } = setUp();
  watches.add(["p1", "p2"]);
  watches.take("p1", frame(0, 100));
  told.length = 0;
  watches.resume();
  expect(told).toEqual([{ type: "pane_watch", panes: [{ paneId: "p1", offset: 100 }, { paneId: "p2" }] }]);
});

test("output of a pane that is not watched is dropped", () => {
  const { watches, told } = setUp();
  watches.add(["p1"]);
  watches.remove("p1");
  expect(watches.take("p1", frame(0, 10))).toEqual([]);
  expect(told.at(-1)).toEqual({ type: "pane_unwatch", paneIds: ["p1"] });
});

test("a closed pane is forgotten without a word", () => {
  const { watches, told } = setUp();
  watches.add(["p1"]);
  told.length = 0;
  watches.retain(() => false);
  watches.remove("p1");
  watches.resume();
  expect(told).toEqual([]);
});

describe("a flood", () => {
  test("stops the watch until the terminal has caught up", () => {
    const { watches, told } = setUp();
    watches.add(["p1"]);
    told.length = 0;
    watches.take("p1", frame(0, 5 * MIB));
    expect(told).toEqual([{ type: "pane_unwatch", paneIds: ["p1"] }]);
    // What was under way already is still taken.
    expect(watches.take("p1", frame(5 * MIB, MIB))).toHaveLength(1);
    watches.parsed("p1", 5 * MIB);
    expect(told).toHaveLength(1);
    watches.parsed("p1", MIB);
    expect(told.at(-1)).toEqual({ type: "pane_watch", panes: [{ paneId: "p1", offset: 6 * MIB }] });
  });

  test("does not stop the watch twice", () => {
    const { watches, told } = setUp();
    watches.add(["p1"]);
    watches.take("p1", frame(0, 5 * MIB));
    watches.take("p1", frame(5 * MIB, 5 * MIB));
    expect(told.filter((message) => message.type === "pane_unwatch")).toHaveLength(1);
  });
});
