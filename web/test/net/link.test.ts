import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Link } from "../../src/net/link.ts";

/** A socket that does what a test says. */
class FakeSocket {
  static readonly OPEN = 1;
  static made: FakeSocket[] = [];
  readyState = 0;
  onopen = (): void => undefined;
  onmessage = (_: { data: string }): void => undefined;
  onclose = (_: { code: number }): void => undefined;

  constructor() {
    FakeSocket.made.push(this);
  }

  open(): void {
    this.readyState = FakeSocket.OPEN;
    this.onopen();
    this.onmessage({ data: '{"type":"hello"}' });
  }

  end(code: number): void {
    this.readyState = 3;
    this.onclose({ code });
  }
}

/** What the window and the document are told of. */
const ears = new EventTarget();

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.made = [];
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("document", Object.assign(ears, { visibilityState: "visible" }));
  vi.stubGlobal("addEventListener", ears.addEventListener.bind(ears));
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** A link over fake sockets, connecting, and how it is, in words. */
function setUp(): { link: Link; said: string[]; socket: () => FakeSocket } {
  const said: string[] = [];
  const link = new Link("ws://gateway/mux", {
    message: ({ type }) => said.push(type),
    frame: () => undefined,
    status: (status) => {
      const detail = status.state === "waiting" ? `: ${status.reason}` : status.state === "closed" ? `: ${status.farewell}` : "";
      said.push(status.state + detail);
    },
    refused: () => said.push("refused"),
  });
  link.connect();
  const socket = (): FakeSocket => {
    const newest = FakeSocket.made.at(-1);
    if (!newest) throw new Error("nothing connected");
    return newest;
  };
  return { link, said, socket };
}

test.each([
  [1000, "Connection lost"],
  [1001, "Gateway is restarting"],
  [1006, "Connection lost"],
  [1013, "Gateway has too many viewers"],
  [4008, "This page fell too far behind"],
])("after %i it comes back by itself", (code, reason) => {
  const { said, socket } = setUp();
  socket().open();
  socket().end(code);
  expect(said.at(-1)).toBe(`waiting: ${reason}`);
  vi.advanceTimersByTime(250);
  expect(FakeSocket.made).toHaveLength(2);
});

test.each([
  [1008, "misunderstood"],
  [1009, "misunderstood"],
  [4403, "dismissed"],
  [4409, "superseded"],
])("after %i it comes back when it is wanted, and not before", (code, farewell) => {
  const { link, said, socket } = setUp();
  socket().open();
  socket().end(code);
  expect(said.at(-1)).toBe(`closed: ${farewell}`);
  ears.dispatchEvent(new Event("online"));
  ears.dispatchEvent(new Event("visibilitychange"));
  vi.advanceTimersByTime(3_600_000);
  expect(FakeSocket.made).toHaveLength(1);

  link.connect();
  socket().open();
  expect(FakeSocket.made).toHaveLength(2);
  expect(said.slice(-3)).toEqual(["connecting", "open", "hello"]);
});

test("a gateway that says hello and closes at once is tried less and less often", () => {
  const { socket } = setUp();
  for (let turn = 0; turn < 10; turn += 1) {
    socket().open();
    socket().end(1013);
    vi.advanceTimersByTime(15_000);
  }
  const before = FakeSocket.made.length;
  socket().open();
  socket().end(1013);
  vi.advanceTimersByTime(7_000);
  expect(FakeSocket.made).toHaveLength(before);
  vi.advanceTimersByTime(8_000);
  expect(FakeSocket.made).toHaveLength(before + 1);
});

test("a try that fails before the socket opened is told of: perhaps the login has run out", () => {
  const { said, socket } = setUp();
  socket().end(1006);
  expect(said).toEqual(["connecting", "waiting: Connection lost", "refused"]);
});
