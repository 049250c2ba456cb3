import { expect, test } from "vitest";
import { clientName } from "../../src/net/client.ts";

test("a page's name is 32 letters that nobody can guess", () => {
  const names = Array.from({ length: 100 }, clientName);
  for (const name of names) expect(name).toMatch(/^[A-Za-z0-9_-]{32}$/);
  expect(new Set(names).size).toBe(100);
});
