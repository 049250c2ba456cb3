import { expect, test } from "vitest";
import { anyKeyReturns, type Farewell, farewellText } from "../../src/model/farewell.ts";

test.each<[Farewell, boolean, string]>([
  ["dismissed", true, "Reconnect"],
  ["superseded", true, "Reconnect"],
  ["misunderstood", false, "Reload"],
])("who is %s is told what ends it", (farewell, anyKey, button) => {
  const text = farewellText(farewell);
  expect(anyKeyReturns(farewell)).toBe(anyKey);
  expect(text.button).toBe(button);
  expect(/any key/.test(text.hint)).toBe(anyKey);
});
