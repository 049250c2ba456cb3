import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { History } from "../../src/net/history.ts";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => vi.useRealTimers());

interface Stage {
  history: History;
  /** What was fetched. */
  fetched: string[];
  /** What the page allows, and whether the gateway answers. */
  page: { may: boolean; answers: boolean };
}

function setUp(): Stage {
  const fetched: string[] = [];
  const page = { may: true, answers: true };
  const history = new History({
    mayRestart: () => page.may,
    fetch: (paneId, rows) => {
      fetched.push(`${paneId}:${rows}`);
      return page.answers ? Promise.resolve() : Promise.reject(new Error("no"));
    },
  });
  return { history, fetched, page };
}

test("a pane that goes quiet gets some scrollback, once", () => {
  const { history, fetched } = setUp();
  history.restarted("p1", 0, 0);
  for (let step = 0; step < 10; step += 1) {
    vi.advanceTimersByTime(300);
    history.output("p1");
  }
  expect(fetched).toEqual([]);
  vi.advanceTimersByTime(500);
  expect(fetched).toEqual(["p1:1000"]);
  history.restarted("p1", 1000, 1000);
  vi.advanceTimersByTime(60_000);
  history.output("p1");
  expect(fetched).toHaveLength(1);
  history.lookedUp("p1", true);
  history.lookedUp("p1", true);
  expect(fetched).toEqual(["p1:1000", "p1:10000"]);
});

test("a page that can't have it now is not asked again and again, but when something happens", () => {
  const { history, fetched, page } = setUp();
  page.may = false;
  history.restarted("p1", 0, 0);
  vi.advanceTimersByTime(60_000);
  expect(vi.getTimerCount()).toBe(0);
  page.may = true;
  history.shown(["p1"]);
  expect(fetched).toEqual(["p1:1000"]);
});

test("without an answer nothing is asked until somebody looks", async () => {
  const { history, fetched, page } = setUp();
  page.answers = false;
  history.restarted("p1", 0, 0);
  await vi.advanceTimersByTimeAsync(1000);
  history.output("p1");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(fetched).toEqual(["p1:1000"]);
  history.searched("p1");
  expect(fetched).toEqual(["p1:1000", "p1:10000"]);
});

test("a fetch that a broken connection swallowed does not block the next", () => {
  const { history, fetched } = setUp();
  history.restarted("p1", 0, 0);
  history.lookedUp("p1", false);
  history.resume();
  history.lookedUp("p1", false);
  expect(fetched).toEqual(["p1:10000", "p1:10000"]);
});

test("nothing is fetched for a pane that is gone", () => {
  const { history, fetched } = setUp();
  history.restarted("p1", 0, 0);
  history.remove("p1");
  vi.advanceTimersByTime(60_000);
  expect(fetched).toEqual([]);
});
