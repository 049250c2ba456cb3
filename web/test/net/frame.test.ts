import { describe, expect, test } from "vitest";
import { chunks, decodeOutput, encodeInput } from "../../src/net/frame.ts";

describe("decodeOutput", () => {
  test("reads the header of 13 bytes and leaves the rest", () => {
    const frame = Uint8Array.of(1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 0x86, 0xa0, 104, 105).buffer;
    expect(decodeOutput(frame)).toEqual({
      kind: "output",
      offset: 2 ** 32 + 2,
      channel: 100_000,
      payload: Uint8Array.of(104, 105),
    });
  });

  test("knows a restart, and frames without payload", () => {
    const frame = new Uint8Array(13);
    frame[0] = 2;
    expect(decodeOutput(frame.buffer)).toMatchObject({ kind: "restart", offset: 0, payload: new Uint8Array() });
  });

  test("refuses short frames and unknown kinds", () => {
    expect(decodeOutput(new ArrayBuffer(0))).toBeUndefined();
    expect(decodeOutput(new ArrayBuffer(12))).toBeUndefined();
    expect(decodeOutput(Uint8Array.of(3, ...new Array<number>(12).fill(0)).buffer)).toBeUndefined();
  });
});

test("encodeInput writes kind, channel and payload", () => {
  expect([...encodeInput("input", 0x01020304, Uint8Array.of(97))]).toEqual([1, 1, 2, 3, 4, 97]);
  expect([...encodeInput("report", 7, new Uint8Array())]).toEqual([2, 0, 0, 0, 7]);
});

describe("chunks", () => {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder("utf-8", { fatal: true });

  test("keeps every byte and the limit, and never cuts a character", () => {
    const text = "aé日🎉".repeat(50);
    const bytes = encoder.encode(text);
    for (let limit = 4; limit < 40; limit += 1) {
      const pieces = chunks(bytes, limit);
      expect(pieces.every((piece) => piece.length > 0 && piece.length <= limit)).toBe(true);
      expect(pieces.map((piece) => decoder.decode(piece)).join("")).toBe(text);
    }
  });

  test("cuts bytes that are no UTF-8 anywhere rather than never", () => {
    const pieces = chunks(new Uint8Array(100).fill(0x80), 16);
    expect(pieces.map((piece) => piece.length)).toEqual([16, 16, 16, 16, 16, 16, 4]);
  });

  test("nothing makes no chunk", () => {
    expect(chunks(new Uint8Array(), 16)).toEqual([]);
  });
});
