import { expect, test } from "vitest";
import { Steady } from "../../src/model/steady.ts";

test("what is over in a moment is not shown", () => {
  const steady = new Steady();
  expect(steady.take("starting", 1000)).toBe(300);
  expect(steady.take("live", 1299)).toBe("show");
  expect(steady.take("lost", 5000)).toBe(300);
});

test("what lasts is shown, and then changes at once", () => {
  const steady = new Steady();
  expect(steady.take("waking", 1000)).toBe(300);
  expect(steady.take("waking", 1100)).toBe(200);
  expect(steady.take("waking", 1300)).toBe("show");
  expect(steady.take("waking", 1301)).toBe("show");
});

test("one moment after another makes no eternity", () => {
  const steady = new Steady();
  expect(steady.take("lost", 0)).toBe(300);
  expect(steady.take("waking", 200)).toBe(100);
  expect(steady.take("lost", 299)).toBe(1);
  expect(steady.take("waking", 300)).toBe("show");
});

test("an end is shown at once, and what follows it not before it lasts", () => {
  const steady = new Steady();
  expect(steady.take("exited", 0)).toBe("show");
  expect(steady.take("starting", 10)).toBe(300);
  expect(steady.take("failed", 20)).toBe("show");
  expect(steady.take("starting", 30)).toBe(300);
});
