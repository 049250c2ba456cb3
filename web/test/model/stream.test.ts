import { describe, expect, test } from "vitest";
import { OutputStream } from "../../src/model/stream.ts";
import type { OutputFrame } from "../../src/net/frame.ts";

const SIZE = { cols: 80, rows: 24 };

function frame(offset: number, text: string, kind: OutputFrame["kind"] = "output"): OutputFrame {
  const payload = new TextEncoder().encode(text);
  return kind === "restart" ? { kind, offset, channel: 1, size: SIZE, payload } : { kind, offset, channel: 1, payload };
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Snapshots with `!` and their parts, history with `~`, each with the offset of its end. */
function shown(stream: OutputStream, next: OutputFrame): string {
  const pieces = stream.take(next).map((piece) => {
    const content = piece.kind === "restart" ? `!${piece.parts.map(text).join("+")}` : `${piece.history ? "~" : ""}${text(piece.bytes)}`;
    return `${content}@${piece.end}`;
  });
  return pieces.join("|");
}

test("follows the offsets", () => {
  const stream = new OutputStream();
  expect(stream.next).toBeUndefined();
  expect(shown(stream, frame(10, "screen", "restart"))).toBe("!screen@10");
  expect(shown(stream, frame(10, "abc"))).toBe("abc@13");
  expect(shown(stream, frame(13, "de"))).toBe("de@15");
  expect(stream.next).toBe(15);
});

test("what was had is left out", () => {
  const stream = new OutputStream();
  shown(stream, frame(0, "abcdef"));
  expect(shown(stream, frame(4, "efgh"))).toBe("gh@8");
  expect(shown(stream, frame(0, "abc"))).toBe("");
  expect(stream.next).toBe(8);
});

test("output that follows nothing starts over at the size there is", () => {
  const stream = new OutputStream();
  expect(stream.take(frame(4, "abc"))).toMatchObject([{ kind: "restart", size: undefined, end: 7 }]);
  expect(shown(stream, frame(9, "x"))).toBe("!x@10");
});

describe("a snapshot", () => {
  test("has the size that its last part tells", () => {
    const stream = new OutputStream();
    expect(stream.take(frame(5, "", "restart"))).toMatchObject([{ kind: "restart", size: SIZE, asked: 0, end: 5 }]);
  });

  test("is shown when its last part is there, in one", () => {
    const stream = new OutputStream();
    shown(stream, frame(0, "abcdefg"));
    expect(shown(stream, frame(20, "one", "part"))).toBe("");
    expect(shown(stream, frame(20, "two", "part"))).toBe("");
    expect(stream.next).toBe(7);
    expect(shown(stream, frame(20, "three", "restart"))).toBe("!one+two+three@20");
    expect(shown(stream, frame(20, "x"))).toBe("x@21");
    expect(shown(stream, frame(21, "next", "restart"))).toBe("!next@21");
  });

  test("may lead back", () => {
    const stream = new OutputStream();
    shown(stream, frame(0, "abcdefg"));
    expect(shown(stream, frame(2, "y", "restart"))).toBe("!y@2");
    expect(stream.next).toBe(2);
  });

  test("that was broken off leaves no parts behind", () => {
    const stream = new OutputStream();
    shown(stream, frame(20, "old", "part"));
    expect(shown(stream, frame(21, "new", "restart"))).toBe("!new@21");
    shown(stream, frame(30, "old", "part"));
    stream.watching(30, 0);
    expect(shown(stream, frame(30, "new", "restart"))).toBe("!new@30");
  });

  test("knows how much scrollback was asked for with it, and only the first one after the answer does", () => {
    const stream = new OutputStream();
    stream.watching(5, 1000);
    expect(stream.take(frame(5, "a", "restart"))).toMatchObject([{ asked: 1000 }]);
    expect(stream.take(frame(5, "b", "restart"))).toMatchObject([{ asked: 0 }]);
  });
});

describe("history", () => {
  test("is what comes before the head, cut exactly there", () => {
    const stream = new OutputStream();
    stream.watching(4, 0);
    shown(stream, frame(0, "", "restart"));
    expect(shown(stream, frame(0, "ab"))).toBe("~ab@2");
    expect(shown(stream, frame(2, "cdef"))).toBe("~cd@4|ef@6");
    expect(shown(stream, frame(6, "g"))).toBe("g@7");
  });

  test("resumes with the new head", () => {
    const stream = new OutputStream();
    shown(stream, frame(0, "abc"));
    stream.watching(5, 0);
    expect(shown(stream, frame(3, "defg"))).toBe("~de@5|fg@7");
  });
});
