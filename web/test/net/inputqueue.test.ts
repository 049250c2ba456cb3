import { describe, expect, test } from "vitest";
import { InputQueue, type Piece } from "../../src/net/inputqueue.ts";

const KIB = 1024;
const nothingPending = (): number => 0;

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function text(pieces: Piece[]): string {
  return pieces.map(({ paneId, bytes }) => `${paneId}:${new TextDecoder().decode(bytes)}`).join(" ");
}

function total(pieces: Piece[]): number {
  return pieces.reduce((sum, piece) => sum + piece.bytes.length, 0);
}

describe("order", () => {
  test("is kept per pane", () => {
    const queue = new InputQueue();
    queue.push("p1", bytes("a"), true);
    queue.push("p2", bytes("x"), true);
    queue.push("p1", bytes("b"), true);
    expect(text(queue.take(nothingPending))).toBe("p1:a p1:b p2:x");
    expect(queue.take(nothingPending)).toEqual([]);
  });

  test("a paste is cut into messages of at most 16 KiB", () => {
    const queue = new InputQueue();
    queue.push("p1", new Uint8Array(40 * KIB), true);
    expect(queue.take(nothingPending).map((piece) => piece.bytes.length)).toEqual([16 * KIB, 16 * KIB, 8 * KIB]);
  });
});

describe("pace", () => {
  test("at most 128 KiB are on the way to a pane", () => {
    const queue = new InputQueue();
    queue.push("p1", new Uint8Array(300 * KIB), true);
    expect(total(queue.take(nothingPending))).toBe(128 * KIB);
    expect(queue.take(nothingPending)).toEqual([]);
    queue.fence();
    queue.confirm();
    expect(total(queue.take(nothingPending))).toBe(128 * KIB);
    expect(queue.held).toBe(44 * KIB);
  });

  test("what the gateway holds for a pane counts, and holds up no other pane", () => {
    const queue = new InputQueue();
    queue.push("p1", new Uint8Array(64 * KIB), true);
    queue.push("p2", bytes("x"), true);
    const sent = queue.take((paneId) => (paneId === "p1" ? 100 * KIB : 0));
    expect(sent.map(({ paneId, bytes }) => [paneId, bytes.length])).toEqual([["p1", 16 * KIB], ["p2", 1]]);
  });

  test("only what was sent before the ping is confirmed by its answer", () => {
    const queue = new InputQueue();
    queue.push("p1", bytes("abc"), true);
    queue.take(nothingPending);
    queue.fence();
    queue.push("p1", bytes("de"), true);
    queue.take(nothingPending);
    expect(queue.unconfirmed).toBe(5);
    queue.confirm();
    expect(queue.unconfirmed).toBe(2);
  });
});

describe("bounds", () => {
  test("64 KiB are kept without a connection, and a message is taken whole or not at all", () => {
    const queue = new InputQueue();
    expect(queue.push("p1", new Uint8Array(60 * KIB), false)).toBe(true);
    expect(queue.push("p1", new Uint8Array(5 * KIB), false)).toBe(false);
    expect(queue.push("p1", new Uint8Array(4 * KIB), false)).toBe(true);
    expect(queue.held).toBe(64 * KIB);
  });

  test("more is taken with a connection", () => {
    const queue = new InputQueue();
    expect(queue.push("p1", new Uint8Array(8 << 20), true)).toBe(true);
    expect(queue.push("p1", bytes("x"), true)).toBe(false);
  });
});

describe("a lost connection", () => {
  test("what was not sent is sent later; what was sent is told and not sent again", () => {
    const queue = new InputQueue();
    queue.push("p1", bytes("sent"), true);
    queue.take(nothingPending);
    queue.push("p1", bytes("kept"), true);
    expect(queue.disconnect()).toBe(4);
    expect(queue.unconfirmed).toBe(0);
    expect(text(queue.take(nothingPending))).toBe("p1:kept");
  });
});

test("discarding and closing panes frees their room", () => {
  const queue = new InputQueue();
  queue.push("p1", bytes("abc"), true);
  queue.push("p2", bytes("de"), true);
  queue.discard("p1");
  expect(queue.held).toBe(2);
  expect(queue.retain((paneId) => paneId === "p1")).toBe(2);
  expect(queue.held).toBe(0);
  expect(queue.take(nothingPending)).toEqual([]);
});
