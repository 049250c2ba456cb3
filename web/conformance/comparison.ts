// Compares, for a gateway's tests, what a terminal shows that saw all output with what one shows that came later and
// began with a snapshot. Asked over a pipe: a line of JSON, then as many bytes as it says; answered with a line each.

import type { Readable, Writable } from "node:stream";
import { GONE, ObservedTerminal } from "./observed.ts";

/** How much a viewer that fell behind had seen before at most, in bytes. */
const MOST_SEEN = 16 << 10;

/** Where a viewer comes in. */
interface Cut {
  /** How much of the output is before it, in bytes. */
  at: number;
  /** How long its snapshot is, in bytes. */
  snapshot: number;
  /** Whether the snapshot has scrollback. */
  scrollback: boolean;
  /** How much of the output is fed after the snapshot, in bytes. */
  rest: number;
}

/** A question: behind it come `output` bytes of output and then the snapshots. */
interface Question {
  cols: number;
  rows: number;
  output: number;
  /** In order of their places. */
  cuts: Cut[];
}

/** How two terminals differ. */
interface Difference {
  /** Which of the cuts. */
  cut: number;
  /** As soon as the snapshot is there, or after the output that follows. */
  when: "at once" | "later" | "emitted";
  early: string;
  late: string;
}

/** Answers until the questions end. */
export async function serve(questions: Readable, answers: Writable): Promise<void> {
  const reader = new Reader(questions);
  for (let line = await reader.line(); line !== undefined; line = await reader.line()) {
    const question = JSON.parse(line) as Question;
    const output = await reader.bytes(question.output);
    const snapshots: Uint8Array[] = [];
    for (const cut of question.cuts) snapshots.push(await reader.bytes(cut.snapshot));
    answers.write(`${JSON.stringify(compare(question, output, snapshots))}\n`);
  }
}

function compare(question: Question, output: Uint8Array, snapshots: Uint8Array[]): Difference[] {
  const early = earlyStates(question, output);
  const differences: Difference[] = [];
  for (const [index, cut] of question.cuts.entries()) {
    const late = new ObservedTerminal(question.cols, question.rows);
    // Half of the viewers were there before and fell behind.
    if (index % 2 === 1) late.write(output.subarray(0, question.cuts[index >> 1]?.at).subarray(-MOST_SEEN));
    late.takeEmitted();
    late.write(snapshots[index] ?? new Uint8Array());
    for (const emitted of late.takeEmitted()) differences.push({ cut: index, when: "emitted", early: "", late: emitted });
    const check = (when: Difference["when"], at: number) => {
      const was = early.get(at)?.[cut.scrollback ? "whole" : "screen"] ?? [];
      const is = late.describe({ scrollback: cut.scrollback });
      for (let line = 0; line < Math.max(was.length, is.length); line++) {
        if (alike(was[line], is[line])) continue;
        differences.push({ cut: index, when, early: was[line] ?? "", late: is[line] ?? "" });
      }
    };
    check("at once", cut.at);
    // In the same pieces: what xterm.js shows depends on them in places.
    const places = [...early.keys()].filter((place) => place > cut.at && place <= cut.at + cut.rest);
    let fed = cut.at;
    for (const place of places) {
      late.write(output.subarray(fed, place));
      fed = place;
    }
    check("later", cut.at + cut.rest);
    late.takeEmitted();
  }
  return differences;
}

/** Whether two lines say the same. xterm.js forgets links when rows that they were in are gone, sooner or later. */
function alike(early: string | undefined, late: string | undefined): boolean {
  if (early === late) return true;
  const forgotten = early?.includes(GONE) || late?.includes(GONE);
  return forgotten === true && withoutLinks(early) === withoutLinks(late);
}

function withoutLinks(line: string | undefined): string | undefined {
  return line?.replaceAll(/,link [^)]*/g, ",link");
}

/** A terminal's state, without and with what is above the screen. */
interface State {
  screen: string[];
  whole: string[];
}

/** What a terminal that was there from the start is like at all places that matter. */
function earlyStates({ cols, rows, cuts }: Question, output: Uint8Array): Map<number, State> {
  const places = new Map<number, boolean>();
  for (const { at, rest, scrollback } of cuts) {
    for (const place of [at, at + rest]) places.set(place, scrollback || places.get(place) === true);
  }
  const terminal = new ObservedTerminal(cols, rows);
  const states = new Map<number, State>();
  let fed = 0;
  for (const [place, scrollback] of [...places].sort(([a], [b]) => a - b)) {
    terminal.write(output.subarray(fed, place));
    fed = place;
    states.set(place, {
      screen: terminal.describe({ scrollback: false }),
      whole: scrollback ? terminal.describe({ scrollback: true }) : [],
    });
  }
  return states;
}

/** Lines and bytes from a stream. */
class Reader {
  #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: Readable) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** The next line; `undefined` at the end. */
  async line(): Promise<string | undefined> {
    let end = this.#rest.indexOf(10);
    while (end < 0) {
      if (!(await this.#more(this.#rest.length + 1))) return undefined;
      end = this.#rest.indexOf(10);
    }
    const line = this.#rest.toString("utf8", 0, end);
    this.#rest = this.#rest.subarray(end + 1);
    return line;
  }

  async bytes(count: number): Promise<Uint8Array> {
    await this.#more(count);
    const bytes = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(count);
    return bytes;
  }

  /** Reads until so many bytes are there; whether they came. */
  async #more(count: number): Promise<boolean> {
    const parts = [this.#rest];
    let length = this.#rest.length;
    while (length < count) {
      const { value, done } = await this.#chunks.next();
      if (done) return false;
      parts.push(value);
      length += value.length;
    }
    if (parts.length > 1) this.#rest = Buffer.concat(parts);
    return true;
  }
}
