import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Sizes } from "../../src/net/sizes.ts";
import type { ClientMessage } from "../../src/protocol.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** Sizes, and what they told a gateway. */
function setUp(): { sizes: Sizes; told: string[]; gateway: { isOpen: boolean } } {
  const told: string[] = [];
  const gateway = {
    isOpen: true,
    mention(message: ClientMessage): void {
      if (message.type === "pane_resize") told.push(`${message.paneId} ${message.cols}x${message.rows}`);
    },
  };
  return { sizes: new Sizes(gateway), told, gateway };
}

test("sizes are gathered, and told only when they changed", () => {
  const { sizes, told } = setUp();
  for (let cols = 80; cols <= 90; cols += 1) sizes.measured("p1", { cols, rows: 24 });
  expect(told).toEqual([]);
  vi.runAllTimers();
  expect(told).toEqual(["p1 90x24"]);
  sizes.measured("p1", { cols: 90, rows: 24 });
  sizes.measured("p2", { cols: 40, rows: 12 });
  vi.runAllTimers();
  expect(told).toEqual(["p1 90x24", "p2 40x12"]);
});

test("a new connection is told at once what is shown, and that once", () => {
  const { sizes, told, gateway } = setUp();
  sizes.measured("p1", { cols: 80, rows: 24 });
  sizes.measured("p2", { cols: 40, rows: 12 });
  vi.runAllTimers();
  told.length = 0;
  gateway.isOpen = false;
  sizes.remove("p2");
  sizes.measured("p1", { cols: 70, rows: 24 });
  gateway.isOpen = true;
  sizes.resume();
  expect(told).toEqual(["p1 70x24"]);
  vi.runAllTimers();
  expect(told).toEqual(["p1 70x24"]);
});
