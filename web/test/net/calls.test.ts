import { expect, test } from "vitest";
import { Calls } from "../../src/net/calls.ts";

function started(calls: Calls): { id: number; answer: Promise<unknown> } {
  let id = 0;
  const answer = calls.start((call) => {
    id = call;
    return true;
  });
  return { id, answer };
}

test("answers find their calls, in any order, and strangers' answers nobody", async () => {
  const calls = new Calls();
  const [first, second] = [started(calls), started(calls)];
  calls.answered({ id: 99, result: "?" });
  calls.answered({ id: second.id, result: [2] });
  calls.answered({ id: first.id, error: "outside of /srv" });
  await expect(second.answer).resolves.toEqual([2]);
  await expect(first.answer).rejects.toThrow("outside of /srv");
});

test("without a connection, calls fail at once or when it breaks", async () => {
  const calls = new Calls();
  await expect(calls.start(() => false)).rejects.toThrow("Not connected");
  const { answer } = started(calls);
  calls.disconnect();
  await expect(answer).rejects.toThrow("connection broke");
});

test("no more than the gateway takes are under way", async () => {
  const calls = new Calls();
  const waiting = Array.from({ length: 32 }, () => started(calls));
  await expect(calls.start(() => true)).rejects.toThrow("Too many");
  calls.answered({ id: waiting[0]?.id ?? 0, result: "done" });
  const { id, answer } = started(calls);
  calls.answered({ id, result: "room again" });
  await expect(answer).resolves.toBe("room again");
  calls.disconnect();
  const ends = await Promise.allSettled(waiting.map((call) => call.answer));
  expect(ends.filter(({ status }) => status === "rejected")).toHaveLength(31);
});
