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

/** The sizes of so many messages for one pane, and whether more belongs to them; each is acknowledged before the next. */
function takeOneByOne(queue: InputQueue, count: number): [number, boolean][] {
  return Array.from({ length: count }, () => {
    const [frame] = take(queue);
    queue.acknowledged(frame?.number ?? 0);
    return [frame?.bytes.length ?? 0, frame?.more ?? false];
  });
}

/** What the gateway remembers of the page. */
const MEMORY = 7;

/** A queue that has sent some text for `p1`, one message each. */
function sent(...texts: string[]): InputQueue {
  const queue = new InputQueue();
  queue.resumed(MEMORY, 0);
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
    queue.push("p1", new Uint8Array(33 * KIB), true);
    for (const key of "more") queue.push("p1", bytes(key), true);
    expect(takeOneByOne(queue, 4)).toEqual([[4, false], [32 * KIB, true], [KIB, false], [4, false]]);
  });

  test("of a paste and what follows it, one message is on its way", () => {
    const queue = new InputQueue();
    queue.push("p1", bytes("keys"), true);
    take(queue);
    queue.push("p1", new Uint8Array(80 * KIB), true);
    queue.push("p1", bytes("x"), true);
    expect(take(queue)).toEqual([]);
    for (const [number, length, more] of [[2, 32 * KIB, true], [3, 32 * KIB, true], [4, 16 * KIB, false], [5, 1, false]] as const) {
      queue.acknowledged(number - 1);
      expect(take(queue).map((frame) => [frame.number, frame.bytes.length, frame.more])).toEqual([[number, length, more]]);
      expect(take(queue)).toEqual([]);
    }
  });
});

describe("pace", () => {
  test("at most 32 KiB are on the way to a pane", () => {
    const queue = new InputQueue();
    queue.push("p1", new Uint8Array(20 * KIB), true);
    expect(take(queue)).toHaveLength(1);
    queue.push("p1", new Uint8Array(20 * KIB), true);
    expect(take(queue)).toEqual([]);
    expect([queue.unconfirmed, queue.waiting]).toEqual([20 * KIB, 20 * KIB]);
    queue.acknowledged(1);
    expect(take(queue).map(({ number }) => number)).toEqual([2]);
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
    expect(frames.map(({ paneId }) => paneId)).toEqual(["p2"]);
  });

  test("an interrupt key goes whatever the gateway holds, and alone", () => {
    const queue = new InputQueue();
    queue.push("p1", bytes("a"), true);
    expect(queue.take(() => 200 * KIB, 0)).toEqual([]);
    expect(queue.interrupt("p1")).toBe(1);
    queue.push("p1", bytes("\x03"), true);
    queue.push("p1", bytes("b"), true);
    expect(text(queue.take(() => 200 * KIB, 0))).toBe("1:p1:\x03");
  });

  test("a paste that was begun goes on whatever the gateway holds, or it would count as complete", () => {
    const queue = new InputQueue();
    queue.push("p1", new Uint8Array(80 * KIB), true);
    expect(take(queue)).toHaveLength(1);
    queue.acknowledged(1);
    expect(queue.take(() => 200 * KIB, 0)).toHaveLength(1);
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

  test("a paste that waits since before the cut leaves room for keys", () => {
    const queue = new InputQueue();
    queue.push("p1", new Uint8Array(200 * KIB), true);
    queue.disconnected();
    expect(queue.push("p1", bytes("x"), false)).toBe(true);
    expect(queue.push("p1", new Uint8Array(64 * KIB), false)).toBe(false);
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
    expect(queue.resumed(MEMORY, 2)).toBe(0);
    expect(text(take(queue))).toBe("3:p1:c 4:p1:d");
    expect(take(queue)).toEqual([]);
  });

  test("to a gateway with another memory carries only what was never sent, counted anew", () => {
    const queue = sent("abc", "de");
    queue.acknowledged(1);
    queue.disconnected();
    queue.push("p1", bytes("f"), false);
    expect(queue.resumed(MEMORY + 1, 0)).toBe(2);
    expect(queue.unconfirmed).toBe(0);
    expect(text(take(queue))).toBe("1:p1:f");
    queue.disconnected();
    expect(queue.resumed(MEMORY + 1, 0)).toBe(0);
    expect(text(take(queue))).toBe("1:p1:f");
  });

  test("to a gateway with another memory carries no rest of a paste", () => {
    const queue = sent();
    queue.push("p1", new Uint8Array(80 * KIB), true);
    queue.push("p1", bytes("x"), true);
    take(queue);
    queue.push("p2", new Uint8Array(40 * KIB), true);
    queue.disconnected();
    expect(queue.resumed(MEMORY + 1, 4)).toBe(80 * KIB);
    expect(take(queue).map(({ number, paneId, bytes }) => [number, paneId, bytes.length])).toEqual([
      [5, "p1", 1],
      [6, "p2", 32 * KIB],
    ]);
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
    for (let number = 1; number < 8; number += 1) {
      queue.sendAgain(number, 0);
      const until = queue.restUntil(0) ?? Number.NaN;
      rests.push(until);
      take(queue, until);
    }
    expect(rests).toEqual([50, 100, 200, 400, 800, 800, 800]);
    queue.acknowledged(8);
    queue.push("p1", bytes("b"), true);
    take(queue, 9000);
    queue.sendAgain(9, 9000);
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
    expect(queue.refused(1)).toBe(80 * KIB);
    expect(queue.refused(1)).toBeUndefined();
    expect(text(take(queue))).toBe("2:p1:next");
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
    queue.acknowledged(2);
    expect(takeOneByOne(queue, 2)).toEqual([[0, false], [4, false]]);
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
    queue.resumed(MEMORY, 0);
    // The gateway takes no number before the one that it expects.
    expect(text(take(queue))).toBe("1:p1: 2:p2:de");
    expect(queue.refused(1)).toBe(0);
  });
});
