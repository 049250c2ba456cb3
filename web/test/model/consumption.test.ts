import { expect, test } from "vitest";
import { Consumption } from "../../src/model/consumption.ts";

const KIB = 1024;

test("the end of what there is is told at once", () => {
  const consumption = new Consumption();
  expect(consumption.parsed(1, true, 1000)).toBe(true);
  expect(consumption.parsed(1, true, 1000)).toBe(true);
});

test("while there is more, it is told now and then", () => {
  const consumption = new Consumption();
  consumption.parsed(0, true, 1000);
  expect(consumption.parsed(100, false, 1001)).toBe(false);
  expect(consumption.parsed(100, false, 1003)).toBe(false);
  expect(consumption.parsed(100, false, 1004)).toBe(true);
  expect(consumption.parsed(100, false, 1005)).toBe(false);
});

test("much is told at once", () => {
  const consumption = new Consumption();
  consumption.parsed(0, true, 1000);
  expect(consumption.parsed(10 * KIB, false, 1000)).toBe(false);
  expect(consumption.parsed(6 * KIB, false, 1000)).toBe(true);
  expect(consumption.parsed(10 * KIB, false, 1000)).toBe(false);
});
