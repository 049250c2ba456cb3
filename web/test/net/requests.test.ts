import { expect, test } from "vitest";
import { Requests } from "../../src/net/requests.ts";

function started(requests: Requests): { id: number; answer: Promise<unknown> } {
  let id = 0;
  const answer = requests.start((requestId) => {
    id = requestId;
    return true;
  });
  return { id, answer };
}

test("answers find their requests, in any order", async () => {
  const requests = new Requests();
  const first = started(requests);
  const second = started(requests);
  requests.done({ type: "ok", requestId: second.id, tabId: "t2" });
  expect(requests.refused({ code: "pane_busy", message: "vim runs", requestId: first.id })).toBe(true);
  await expect(second.answer).resolves.toMatchObject({ tabId: "t2" });
  await expect(first.answer).rejects.toMatchObject({ code: "pane_busy", message: "vim runs" });
});

test("a refusal without a request is nobody's", () => {
  const requests = new Requests();
  expect(requests.refused({ code: "input_full", message: "full" })).toBe(false);
  expect(requests.refused({ code: "input_full", message: "full", requestId: 9 })).toBe(false);
});

test("without a connection, requests fail at once or when it breaks", async () => {
  const requests = new Requests();
  await expect(requests.start(() => false)).rejects.toMatchObject({ code: "offline" });
  const { answer } = started(requests);
  requests.disconnect();
  await expect(answer).rejects.toMatchObject({ code: "offline" });
});
