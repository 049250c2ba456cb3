import { describe, expect, test } from "vitest";
import type { OutputPiece } from "../../src/model/stream.ts";
import type { OutputFrame } from "../../src/net/frame.ts";
import type { Done } from "../../src/net/requests.ts";
import { Watches } from "../../src/net/watches.ts";
import type { ClientMessage } from "../../src/protocol.ts";

function frame(offset: number, length: number): OutputFrame {
  return { kind: "output", offset, channel: 1, payload: new Uint8Array(length) };
}

function restart(offset: number): OutputFrame {
  return { kind: "restart", offset, channel: 1, size: { cols: 80, rows: 24 }, payload: new Uint8Array(10) };
}

interface Stage {
  watches: Watches;
  told: ClientMessage[];
  consumed: [string, number][];
  /** Refuses what is asked from now on. */
  refuse: () => void;
}

function setUp(): Stage {
  const told: ClientMessage[] = [];
  const consumed: [string, number][] = [];
  let refusing = false;
  const ask = (message: ClientMessage): Promise<Done> => {
    told.push(message);
    return refusing ? Promise.reject(new Error("no")) : Promise.resolve({ type: "ok", requestId: 1 });
  };
  const watches = new Watches({ ask }, (...parsed) => consumed.push(parsed));
  return { watches, told, consumed, refuse: () => (refusing = true) };
}

/** The only piece of what a frame brings. */
function piece(watches: Watches, next: OutputFrame): OutputPiece {
  const [only, ...others] = watches.take("p1", next);
  if (!only || others.length > 0) throw new Error("not one piece");
  return only;
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

describe("scrollback", () => {
  test("is asked for without an offset, and the answer knows it", () => {
    const { watches, told } = setUp();
    watches.add(["p1"]);
    expect(watches.isAnswered("p1")).toBe(false);
    watches.watching("p1", 50);
    expect(watches.isAnswered("p1")).toBe(true);
    expect(piece(watches, restart(50))).toMatchObject({ asked: 0 });
    void watches.fetch("p1", 1000);
    expect(told.at(-1)).toEqual({ type: "pane_watch", panes: [{ paneId: "p1", history: 1000 }] });
    // One that came by itself before the answer.
    expect(piece(watches, restart(60))).toMatchObject({ asked: 0 });
    watches.watching("p1", 60);
    expect(piece(watches, restart(60))).toMatchObject({ asked: 1000 });
  });

  test("that was refused is not mistaken for a later answer", async () => {
    const { watches, refuse } = setUp();
    watches.add(["p1"]);
    watches.watching("p1", 0);
    refuse();
    await expect(watches.fetch("p1", 1000)).rejects.toThrow("no");
    watches.watching("p1", 0);
    expect(piece(watches, restart(0))).toMatchObject({ asked: 0 });
  });

  test("that an old connection was asked for is forgotten on a new one", () => {
    const { watches } = setUp();
    watches.add(["p1"]);
    void watches.fetch("p1", 1000);
    watches.resume();
    watches.watching("p1", 0);
    expect(piece(watches, restart(0))).toMatchObject({ asked: 0 });
  });
});

describe("what was taken in", () => {
  test("is told by its end when nothing more waits", () => {
    const { watches, consumed } = setUp();
    watches.add(["p1"]);
    watches.take("p1", restart(0));
    watches.parsed("p1", piece(watches, frame(0, 100)), true);
    watches.parsed("p1", piece(watches, frame(100, 50)), true);
    expect(consumed).toEqual([["p1", 100], ["p1", 150]]);
  });

  test("counts a snapshot by its offset, at once", () => {
    const { watches, consumed } = setUp();
    watches.add(["p1"]);
    watches.parsed("p1", piece(watches, restart(5000)), false);
    expect(consumed).toEqual([["p1", 5000]]);
  });

  test("is of no concern once the output went back", () => {
    const { watches, consumed } = setUp();
    watches.add(["p1"]);
    watches.take("p1", restart(5000));
    const old = piece(watches, frame(5000, 10));
    watches.take("p1", restart(100));
    watches.parsed("p1", old, true);
    expect(consumed).toEqual([]);
  });

  test("is not told of a pane that is not watched any more", () => {
    const { watches, consumed } = setUp();
    watches.add(["p1"]);
    const old = piece(watches, restart(5));
    watches.remove("p1");
    watches.parsed("p1", old, true);
    expect(consumed).toEqual([]);
  });
});
