import { describe, expect, test } from "vitest";
import { OutputStream } from "../../src/model/stream.ts";
import type { OutputFrame } from "../../src/net/frame.ts";

function frame(offset: number, text: string, kind: OutputFrame["kind"] = "output"): OutputFrame {
  return { kind, offset, channel: 1, payload: new TextEncoder().encode(text) };
}

function shown(stream: OutputStream, next: OutputFrame): string {
  return stream
    .take(next)
    .map(({ reset, history, bytes }) => `${reset ? "!" : ""}${history ? "~" : ""}${new TextDecoder().decode(bytes)}`)
    .join("|");
}

test("follows the offsets", () => {
  const stream = new OutputStream();
  expect(stream.next).toBeUndefined();
  expect(shown(stream, frame(10, "abc"))).toBe("!abc");
  expect(shown(stream, frame(13, "de"))).toBe("de");
  expect(stream.next).toBe(15);
});

describe("overlap", () => {
  test("leaves out what was had", () => {
    const stream = new OutputStream();
    shown(stream, frame(0, "abcdef"));
    expect(shown(stream, frame(4, "efgh"))).toBe("gh");
    expect(shown(stream, frame(0, "abc"))).toBe("");
    expect(stream.next).toBe(8);
  });

  test("a gap starts over, as a restart does", () => {
    const stream = new OutputStream();
    shown(stream, frame(0, "abc"));
    expect(shown(stream, frame(9, "x"))).toBe("!x");
    expect(shown(stream, frame(2, "y", "restart"))).toBe("!y");
    expect(stream.next).toBe(3);
    expect(shown(stream, frame(5, "", "restart"))).toBe("!");
    expect(stream.next).toBe(5);
  });
});

describe("history", () => {
  test("is what comes before the head, cut exactly there", () => {
    const stream = new OutputStream();
    stream.watching(4);
    expect(shown(stream, frame(0, "ab"))).toBe("!~ab");
    expect(shown(stream, frame(2, "cdef"))).toBe("~cd|ef");
    expect(shown(stream, frame(6, "g"))).toBe("g");
  });

  test("resumes with the new head", () => {
    const stream = new OutputStream();
    shown(stream, frame(0, "abc"));
    stream.watching(5);
    expect(shown(stream, frame(3, "defg"))).toBe("~de|fg");
  });
});
