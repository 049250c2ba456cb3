import { describe, expect, test } from "vitest";
import { Scrollback } from "../../src/model/scrollback.ts";

/** One that shows the screen alone since time 0. */
function bare(): Scrollback {
  const scrollback = new Scrollback();
  scrollback.restarted(0, 0, 0);
  return scrollback;
}

/** Fetches what is next, with `rows` coming back. */
function fetch(scrollback: Scrollback, rows: number, now: number): number | undefined {
  const next = scrollback.next(now);
  if (!next || next.wait > 0) return undefined;
  scrollback.fetching();
  expect(scrollback.next(now)).toBeUndefined();
  scrollback.restarted(next.rows, rows, now);
  return next.rows;
}

test("nothing is fetched before there is a screen", () => {
  const scrollback = new Scrollback();
  scrollback.lookedUp(true);
  scrollback.wantAll();
  expect(scrollback.next(10_000)).toBeUndefined();
});

describe("ahead of time", () => {
  test("a thousand rows are fetched once the pane is quiet", () => {
    const scrollback = bare();
    expect(scrollback.next(100)).toEqual({ rows: 1000, wait: 400, wanted: false });
    scrollback.output(300);
    expect(scrollback.next(500)).toEqual({ rows: 1000, wait: 300, wanted: false });
    expect(scrollback.next(900)).toEqual({ rows: 1000, wait: 0, wanted: false });
    expect(fetch(scrollback, 1000, 900)).toBe(1000);
    scrollback.output(1000);
    expect(scrollback.next(10_000)).toBeUndefined();
  });

  test("again after a snapshot that came by itself", () => {
    const scrollback = bare();
    fetch(scrollback, 10, 600);
    scrollback.restarted(0, 0, 700);
    expect(scrollback.next(700)?.wait).toBe(500);
  });
});

describe("for somebody who looks up", () => {
  test("everything is fetched at once if there is nothing", () => {
    const scrollback = bare();
    scrollback.lookedUp(false);
    expect(scrollback.next(10)).toEqual({ rows: 10_000, wait: 0, wanted: true });
    expect(fetch(scrollback, 4321, 10)).toBe(10_000);
    scrollback.lookedUp(true);
    expect(scrollback.next(10_000)).toBeUndefined();
  });

  test("the rest is fetched at the top, if there may be one", () => {
    const scrollback = bare();
    fetch(scrollback, 1000, 600);
    scrollback.lookedUp(false);
    expect(scrollback.next(700)).toBeUndefined();
    scrollback.lookedUp(true);
    expect(fetch(scrollback, 10_000, 700)).toBe(10_000);
    scrollback.lookedUp(true);
    expect(scrollback.next(800)).toBeUndefined();
  });

  test("nothing is fetched when everything is there", () => {
    const scrollback = bare();
    fetch(scrollback, 999, 600);
    scrollback.lookedUp(true);
    scrollback.wantAll();
    expect(scrollback.next(700)).toBeUndefined();
  });

  test("a search while a part is under way gets the rest afterwards", () => {
    const scrollback = bare();
    scrollback.fetching();
    scrollback.wantAll();
    expect(scrollback.next(600)).toBeUndefined();
    scrollback.restarted(1000, 1000, 700);
    expect(scrollback.next(700)).toEqual({ rows: 10_000, wait: 0, wanted: true });
  });
});

describe("no answer", () => {
  test("leads to no second question until somebody looks", () => {
    const scrollback = bare();
    scrollback.fetching();
    scrollback.failed();
    expect(scrollback.next(10_000)).toBeUndefined();
    scrollback.lookedUp(false);
    expect(scrollback.next(10_000)?.rows).toBe(10_000);
  });

  test("a new connection changes nothing where nothing was under way", () => {
    const scrollback = bare();
    scrollback.interrupted();
    expect(scrollback.next(10_000)?.rows).toBe(1000);
    scrollback.fetching();
    scrollback.interrupted();
    expect(scrollback.next(10_000)).toBeUndefined();
  });
});

test("what was thrown away comes back only when a new screen is looked up from", () => {
  const scrollback = bare();
  scrollback.cleared();
  scrollback.lookedUp(true);
  expect(scrollback.next(10_000)).toBeUndefined();
  scrollback.restarted(0, 0, 10_000);
  expect(scrollback.next(20_000)).toBeUndefined();
  scrollback.lookedUp(false);
  expect(scrollback.next(20_000)?.rows).toBe(10_000);
});
