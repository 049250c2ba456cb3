import { expect, test } from "vitest";
import { Liveness } from "../../src/net/liveness.ts";

test("asks after silence, and gives up without an answer", () => {
  const liveness = new Liveness(0);
  expect(liveness.check(14_000)).toBe("fine");
  expect(liveness.check(15_000)).toBe("ask");
  expect(liveness.check(20_000)).toBe("fine");
  expect(liveness.check(25_001)).toBe("dead");
});

test("any word is an answer", () => {
  const liveness = new Liveness(0);
  liveness.check(15_000);
  liveness.heard(15_100);
  expect(liveness.check(30_000)).toBe("fine");
  expect(liveness.check(30_100)).toBe("ask");
});

test("a page that slept asks before it gives up", () => {
  expect(new Liveness(0).check(3_600_000)).toBe("ask");
});
