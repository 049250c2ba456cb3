import { expect, test, vi } from "vitest";
import { EMPTY, type Model, reduce } from "../../src/model/model.ts";
import { Sender } from "../../src/net/sender.ts";
import { layout } from "../fixtures.ts";

/** What a sender does, in words. */
function setUp(): { sender: Sender; said: string[]; setModel: (model: Model | undefined) => void } {
  const said: string[] = [];
  let model: Model | undefined = reduce(EMPTY, { type: "layout_update", ...layout(1, ["t1"]) });
  const sendFrame = (frame: Uint8Array): void => {
    const number = frame[0] === 2 ? "report" : new DataView(frame.buffer).getBigUint64(5);
    said.push(`${number}:${new TextDecoder().decode(frame.subarray(frame[0] === 2 ? 5 : 13))}`);
  };
  const sender = new Sender({ sendFrame }, () => model, {
    full: (paneId, bytes) => said.push(`${paneId} full ${bytes}`),
    uncertain: (bytes) => said.push(`uncertain ${bytes}`),
    interrupted: (paneId, bytes) => said.push(`${paneId} interrupted ${bytes}`),
    closed: (bytes) => said.push(`closed ${bytes}`),
    refused: ({ code, bytes }) => said.push(`refused ${code} ${bytes}`),
    held: (bytes) => bytes > 0 && said.push(`held ${bytes}`),
  });
  return { sender, said, setModel: (next) => (model = next) };
}

test("nothing is sent before the gateway has said what it has, and what the panes are", () => {
  const { sender, said, setModel } = setUp();
  const model = reduce(EMPTY, { type: "layout_update", ...layout(1, ["t1"]) });
  setModel(undefined);
  sender.input("p1", "ab");
  sender.resumed(7, 0);
  setModel(model);
  expect(said).toEqual(["held 2", "held 2"]);
  sender.pump();
  expect(said.at(-1)).toBe("1:ab");
});

test("a broken connection loses nothing as long as the gateway remembers this page", () => {
  const { sender, said } = setUp();
  sender.resumed(7, 0);
  sender.input("p1", "a");
  sender.input("p1", "b");
  sender.acknowledged(1);
  sender.disconnected();
  sender.input("p1", "c");
  expect(said).toEqual(["1:a", "2:b", "held 1", "held 2"]);
  said.length = 0;
  sender.resumed(7, 1);
  expect(said).toEqual(["2:b", "3:c"]);
  sender.disconnected();
  sender.resumed(8, 0);
  expect(said.slice(2)).toEqual(["held 2", "uncertain 2"]);
});

test("input that there was no room for is kept", () => {
  const { sender, said } = setUp();
  sender.resumed(7, 0);
  sender.input("p1", "abc");
  sender.refused({ code: "input_full", message: "" }, 1);
  expect(said).toEqual(["1:abc", "held 3"]);
  sender.input("p1", "de");
  expect(said.at(-1)).toBe("held 5");
  sender.discard("p1");
  sender.report("p1", new TextEncoder().encode("R"));
  expect(said.slice(3)).toEqual(["report:R"]);
});

test("another refusal is told once, with what is lost", () => {
  const { sender, said } = setUp();
  sender.resumed(7, 0);
  sender.input("p1", "abc");
  sender.refused({ code: "pane_manual", message: "" }, 1);
  sender.refused({ code: "pane_manual", message: "" }, 1);
  expect(said).toEqual(["1:abc", "refused pane_manual 3"]);
});

test("an interrupt key stops a paste and goes past it", () => {
  const { sender, said } = setUp();
  sender.resumed(7, 0);
  sender.input("p1", `${"x".repeat(40_000)}\x1b[201~`);
  said.length = 0;
  sender.input("p1", "\x03");
  sender.input("p1", "ls");
  expect(said[0]).toBe(`p1 interrupted ${40_000 - (32 << 10)}`);
  said.length = 0;
  sender.acknowledged(1);
  sender.acknowledged(2);
  expect(said.filter((word) => !word.startsWith("held"))).toEqual(["2:\x1b[201~", "3:\x03", "4:ls"]);
});

test("a paste that was stopped ends even where there is no room for it", () => {
  const { sender, said } = setUp();
  sender.resumed(7, 0);
  sender.input("p1", "x".repeat(70_000));
  sender.acknowledged(1);
  sender.input("p1", "\x03");
  said.length = 0;
  vi.useFakeTimers();
  sender.refused({ code: "input_full", message: "" }, 2);
  vi.advanceTimersByTime(1000);
  for (const applied of [3, 4]) sender.acknowledged(applied);
  expect(said.filter((word) => !word.startsWith("held"))).toEqual(["3:", "4:", "5:\x03"]);
  vi.useRealTimers();
});
