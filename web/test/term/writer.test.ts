import { Terminal } from "@xterm/xterm";
import { expect, test } from "vitest";
import type { OutputPiece, Restart } from "../../src/model/stream.ts";
import { Writer } from "../../src/term/writer.ts";

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function output(text: string, history = false): OutputPiece {
  return { kind: "output", history, bytes: bytes(text), end: 0 };
}

function restart(cols: number, rows: number, ...parts: string[]): Restart {
  return { kind: "restart", size: { cols, rows }, parts: parts.map(bytes), asked: 0, end: 0 };
}

/** So many lines with their numbers. */
function lines(count: number): string {
  return Array.from({ length: count }, (_, index) => `line ${index}`).join("\r\n");
}

interface Stage {
  terminal: Terminal;
  writer: Writer;
  /** What the writer told. */
  said: string[];
  /** Resolves when everything is parsed. */
  done: () => Promise<void>;
}

function setUp(): Stage {
  const terminal = new Terminal({ allowProposedApi: true, cols: 20, rows: 5, scrollback: 100 });
  const said: string[] = [];
  let finish: () => void = () => undefined;
  const writer = new Writer(terminal, {
    parsed: (piece, idle) => {
      said.push(`${piece.kind}${idle ? "." : ""}`);
      if (idle) finish();
    },
    restarted: (asked, rows) => said.push(`${asked} asked, ${rows} there`),
    lookedUp: () => said.push("looked up") > 0,
  });
  terminal.onBell(() => said.push(writer.isReplaying ? "old bell" : "bell"));
  return { terminal, writer, said, done: () => new Promise((resolve) => (finish = resolve)) };
}

function text(terminal: Terminal): string {
  const buffer = terminal.buffer.active;
  const rows = Array.from({ length: terminal.rows }, (_, row) => buffer.getLine(buffer.viewportY + row)?.translateToString(true));
  return rows.join("\n").trimEnd();
}

test("everything is parsed at its own size", async () => {
  const { terminal, writer, said, done } = setUp();
  writer.write(output("x".repeat(25)));
  writer.write(restart(10, 3, "y".repeat(8), "y".repeat(7)));
  writer.write(output("z".repeat(10)));
  writer.write(restart(30, 4, "a"));
  writer.write(output("b".repeat(31)));
  await done();
  expect([terminal.cols, terminal.rows]).toEqual([30, 4]);
  expect(text(terminal)).toBe(`a${"b".repeat(29)}\nbb`);
  expect(said).toEqual(["output", "0 asked, 0 there", "restart", "output", "0 asked, 0 there", "restart", "output."]);
});

test("a snapshot takes the place of everything, in whatever state the terminal was", async () => {
  const { terminal, writer, done } = setUp();
  writer.write(output("\x1b[?1049h\x1b[31mold\x1b]0;cut"));
  writer.write(restart(20, 5, "new"));
  await done();
  expect(terminal.buffer.active.type).toBe("normal");
  expect(text(terminal)).toBe("new");
  expect(terminal.buffer.active.getLine(0)?.getCell(0)?.isFgDefault()).toBe(true);
});

test("only what is new rings", async () => {
  const { writer, said, done } = setUp();
  writer.write(restart(20, 5, "\x07"));
  writer.write(output("\x07", true));
  writer.write(output("\x07"));
  await done();
  expect(said.filter((word) => word.includes("bell"))).toEqual(["old bell", "old bell", "bell"]);
});

test("who looked up stays as far from the bottom", async () => {
  const { terminal, writer, said, done } = setUp();
  writer.write(restart(20, 5, lines(30)));
  await done();
  terminal.scrollLines(-8);
  const before = text(terminal);
  writer.write({ ...restart(20, 5, lines(60)), asked: 1000 });
  await done();
  expect(said).toContain("1000 asked, 55 there");
  expect(terminal.buffer.active.baseY - terminal.buffer.active.viewportY).toBe(8);
  expect(before).toMatch(/^line 17\n/);
  expect(said).not.toContain("looked up");
});

test("who looked up before a snapshot without scrollback is there again when it comes", async () => {
  const { terminal, writer, said, done } = setUp();
  writer.write(restart(20, 5, lines(30)));
  await done();
  terminal.scrollLines(-8);
  writer.write(restart(20, 5, "screen"));
  await done();
  expect(text(terminal)).toBe("screen");
  expect(said).toContain("looked up");
  writer.write({ ...restart(20, 5, lines(30)), asked: 10_000 });
  await done();
  expect(text(terminal)).toMatch(/^line 17\n/);
});

test("who looked up before there was anything is there as soon as it comes", async () => {
  const { terminal, writer, done } = setUp();
  writer.write(restart(20, 5, "screen"));
  await done();
  writer.lookFurtherUp(3);
  writer.lookFurtherUp(5);
  writer.write({ ...restart(20, 5, lines(30)), asked: 10_000 });
  await done();
  expect(text(terminal)).toMatch(/^line 17\n/);
  writer.write({ ...restart(20, 5, lines(30)), asked: 10_000 });
  await done();
  expect(text(terminal)).toMatch(/^line 17\n/);
});
