import { expect, test } from "vitest";
import { Backoff } from "../../src/net/backoff.ts";

test("doubles from a quarter of a second to fifteen seconds", () => {
  const backoff = new Backoff();
  const waits = Array.from({ length: 9 }, () => backoff.next(0.999_999));
  expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
});

test("half of a wait is random", () => {
  expect(new Backoff().next(0)).toBe(125);
  expect(new Backoff().next(0.5)).toBe(188);
});

test("starts over after a success, and never overflows", () => {
  const backoff = new Backoff();
  for (let failure = 0; failure < 5000; failure += 1) expect(backoff.next(0)).toBeLessThanOrEqual(7500);
  backoff.reset();
  expect(backoff.next(0)).toBe(125);
});

test("only a connection that lasted starts it over", () => {
  const backoff = new Backoff();
  for (let failure = 0; failure < 3; failure += 1) {
    backoff.next(0);
    backoff.ended(999);
  }
  expect(backoff.next(0)).toBe(1000);
  backoff.ended(1000);
  expect(backoff.next(0)).toBe(125);
});
