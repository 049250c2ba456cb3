import { describe, expect, test } from "vitest";
import { chunks, decodeOutput, encodeConsumed, encodeInput, encodeReport } from "../../src/net/frame.ts";

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

  test("knows the parts of a snapshot, and the size in the last one", () => {
    const part = Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1, 65).buffer;
    expect(decodeOutput(part)).toEqual({ kind: "part", offset: 9, channel: 1, payload: Uint8Array.of(65) });
    const last = Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1, 1, 4, 0, 50, 66).buffer;
    const size = { cols: 260, rows: 50 };
    expect(decodeOutput(last)).toEqual({ kind: "restart", offset: 9, channel: 1, size, payload: Uint8Array.of(66) });
  });

  test("refuses short frames and unknown kinds", () => {
    const zeros = (length: number): number[] => new Array<number>(length).fill(0);
    expect(decodeOutput(new ArrayBuffer(0))).toBeUndefined();
    expect(decodeOutput(new ArrayBuffer(12))).toBeUndefined();
    expect(decodeOutput(Uint8Array.of(2, ...zeros(15)).buffer)).toBeUndefined();
    expect(decodeOutput(Uint8Array.of(4, ...zeros(12)).buffer)).toBeUndefined();
  });
});

test("what a viewer sends has kind, channel, number and payload", () => {
  const bytes = Uint8Array.of(97);
  expect([...encodeInput(0x01020304, { number: 256, more: false, bytes })]).toEqual([3, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 1, 0, 97]);
  expect([...encodeInput(7, { number: 1, more: true, bytes })]).toEqual([4, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 1, 97]);
  expect([...encodeReport(7, bytes)]).toEqual([2, 0, 0, 0, 7, 97]);
  expect([...encodeConsumed(1, 2 ** 40)]).toEqual([5, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0]);
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
