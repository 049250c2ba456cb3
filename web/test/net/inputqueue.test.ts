import { describe, expect, test } from "vitest";
import { type InputFrame, InputQueue } from "../../src/net/inputqueue.ts";

const KIB = 1024;
const nothingPending = (): number => 0;

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function text(frames: InputFrame[]): string {
  return frames.map(({ number, paneId, bytes }) => `${number}:${paneId}:${new TextDecoder().decode(bytes)}`).join(" ");
}

function take(queue: InputQueue, now = 0): InputFrame[] {
  return queue.take(nothingPending, now);
}

/** A queue that has sent some text for `p1`, one message each. */
function sent(...texts: string[]): InputQueue {
  const queue = new InputQueue();
  for (const each of texts) {
    queue.push("p1", bytes(each), true);
    take(queue);
  }
  return queue;
}

describe("order", () => {
  test("is kept per pane, and numbers count everything", () => {
    const queue = new InputQueue();
    queue.push("p1", bytes("a"), true);
    expect(text(take(queue))).toBe("1:p1:a");
    queue.push("p2", bytes("x"), true);
    queue.push("p1", bytes("b"), true);
    expect(text(take(queue))).toBe("2:p1:b 3:p2:x");
    expect(take(queue)).toEqual([]);
  });

  test("keys that wait make one message, and stay out of pastes", () => {
    const queue = new InputQueue();
    for (const key of "keys") queue.push("p1", bytes(key), true);
    queue.push("p1", new Uint8Array(17 * KIB), true);
    for (const key of "more") queue.push("p1", bytes(key), true);
    expect(take(queue).map(({ bytes, more }) => [bytes.length, more])).toEqual([[4, false], [16 * KIB, true], [KIB, false], [4, false]]);
  });

  test("a paste is cut into messages of at most 16 KiB that belong together", () => {
    const queue = new InputQueue();
    queue.push("p1", new Uint8Array(24 * KIB), true);
    queue.push("p1", bytes("x"), true);
    expect(take(queue).map(({ bytes, more }) => [bytes.length, more])).toEqual([[16 * KIB, true], [8 * KIB, false], [1, false]]);
  });
});

describe("pace", () => {
  test("at most 32 KiB are on the way to a pane", () => {
    const queue = new InputQueue();
    queue.push("p1", new Uint8Array(300 * KIB), true);
    expect(take(queue)).toHaveLength(2);
    expect(take(queue)).toEqual([]);
    queue.acknowledged(1);
    expect(take(queue).map(({ number }) => number)).toEqual([3]);
    expect(queue.unconfirmed).toBe(32 * KIB);
    expect(queue.waiting).toBe(252 * KIB);
  });

  test("at most 256 KiB are on the way to all panes", () => {
    const queue = new InputQueue();
    for (let pane = 0; pane < 10; pane += 1) queue.push(`p${pane}`, new Uint8Array(32 * KIB), true);
    take(queue);
    expect(queue.unconfirmed).toBe(256 * KIB);
    expect(queue.waiting).toBe(64 * KIB);
  });

  test("at most 64 messages are on the way", () => {
    const queue = sent(...Array.from({ length: 70 }, () => "x"));
    expect(queue.unconfirmed).toBe(64);
    queue.acknowledged(1);
    expect(take(queue).map(({ number, bytes }) => [number, bytes.length])).toEqual([[65, 6]]);
  });

  test("what the gateway holds for a pane counts, and holds up no other pane", () => {
    const queue = new InputQueue();
    queue.push("p1", new Uint8Array(32 * KIB), true);
    queue.push("p2", bytes("x"), true);
    const frames = queue.take((paneId) => (paneId === "p1" ? 100 * KIB : 0), 0);
    expect(frames.map(({ paneId, bytes }) => [paneId, bytes.length])).toEqual([["p1", 16 * KIB], ["p2", 1]]);
  });
});

describe("bounds", () => {
  test("64 KiB are kept without a connection, and a message is taken whole or not at all", () => {
    const queue = new InputQueue();
    expect(queue.push("p1", new Uint8Array(60 * KIB), false)).toBe(true);
    expect(queue.push("p1", new Uint8Array(5 * KIB), false)).toBe(false);
    expect(queue.push("p1", new Uint8Array(4 * KIB), false)).toBe(true);
    expect(queue.waiting).toBe(64 * KIB);
  });

  test("more is taken with a connection", () => {
    const queue = new InputQueue();
    expect(queue.push("p1", new Uint8Array(8 << 20), true)).toBe(true);
    expect(queue.push("p1", bytes("x"), true)).toBe(false);
  });
});

describe("a new connection", () => {
  test("carries again what is not known to have arrived, unchanged and in order", () => {
    const queue = sent("a", "b", "c");
    queue.acknowledged(1);
    queue.disconnected();
    queue.push("p1", bytes("d"), false);
    expect(queue.resumed(true, 2)).toBe(0);
    expect(text(take(queue))).toBe("3:p1:c 4:p1:d");
    expect(take(queue)).toEqual([]);
  });

  test("to a gateway that knows nothing carries only what was never sent, counted anew", () => {
    const queue = sent("abc", "de");
    queue.acknowledged(1);
    queue.disconnected();
    queue.push("p1", bytes("f"), false);
    expect(queue.resumed(false, 0)).toBe(2);
    expect(queue.unconfirmed).toBe(0);
    expect(text(take(queue))).toBe("1:p1:f");
  });
});

describe("no room", () => {
  test("the bytes are sent again under a new number, before anything later", () => {
    const queue = sent("a", "b");
    queue.push("p1", bytes("c"), true);
    queue.sendAgain(1, 1000);
    queue.sendAgain(2, 1000);
    expect(queue.waiting).toBe(3);
    expect(take(queue, 1000)).toEqual([]);
    expect(text(take(queue, 5000))).toBe("3:p1:a 4:p1:b 5:p1:c");
  });

  test("the pane rests, longer every time, until it takes something", () => {
    const queue = sent("a");
    const rests: number[] = [];
    for (let number = 1; number < 9; number += 1) {
      queue.sendAgain(number, 0);
      const until = queue.restUntil(0) ?? Number.NaN;
      rests.push(until);
      take(queue, until);
    }
    expect(rests).toEqual([50, 100, 200, 400, 800, 1600, 2000, 2000]);
    queue.acknowledged(9);
    queue.push("p1", bytes("b"), true);
    take(queue, 9000);
    queue.sendAgain(10, 9000);
    expect(queue.restUntil(9000)).toBe(9050);
    expect(queue.restUntil(9050)).toBeUndefined();
  });

  test("no other pane rests with it", () => {
    const queue = sent("a");
    queue.sendAgain(1, 0);
    queue.push("p2", bytes("x"), true);
    expect(text(take(queue))).toBe("2:p2:x");
  });

  test("what was answered before is not sent again", () => {
    const queue = sent("a");
    queue.acknowledged(1);
    queue.sendAgain(1, 0);
    expect(take(queue, 5000)).toEqual([]);
    expect(queue.restUntil(0)).toBeUndefined();
  });
});

describe("a refusal", () => {
  test("loses the message and the rest of its paste, and nothing else", () => {
    const queue = new InputQueue();
    queue.push("p1", new Uint8Array(80 * KIB), true);
    queue.push("p1", bytes("next"), true);
    take(queue);
    expect(queue.refused(1)).toBe(64 * KIB);
    expect(queue.refused(2)).toBe(16 * KIB);
    expect(queue.refused(2)).toBeUndefined();
    expect(text(take(queue))).toBe("3:p1:next");
  });
});

describe("panes", () => {
  test("what waits for one is dropped, and a paste that is half there is ended", () => {
    const queue = new InputQueue();
    queue.push("p1", new Uint8Array(80 * KIB), true);
    queue.push("p2", bytes("de"), true);
    take(queue);
    queue.discard("p1");
    queue.push("p1", bytes("next"), true);
    queue.acknowledged(3);
    expect(take(queue).map(({ more, bytes }) => [more, bytes.length])).toEqual([[false, 0], [false, 4]]);
    queue.push("p1", bytes("whole"), true);
    queue.discard("p1");
    expect(take(queue)).toEqual([]);
  });

  test("what is meant for one that is no more is dropped", () => {
    const queue = sent("carried");
    queue.push("p1", bytes("abc"), false);
    queue.push("p2", bytes("de"), false);
    expect(queue.retain((paneId) => paneId === "p2")).toBe(3);
    // The gateway answers what this connection has carried.
    expect(queue.unconfirmed).toBe(7);
    queue.disconnected();
    expect(queue.retain((paneId) => paneId === "p2")).toBe(7);
    queue.resumed(true, 0);
    // The gateway takes no number before the one that it expects.
    expect(text(take(queue))).toBe("1:p1: 2:p2:de");
    expect(queue.refused(1)).toBe(0);
  });
});
