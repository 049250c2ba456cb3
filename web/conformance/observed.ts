// A terminal as the page has it, without the page, that tells all there is to know about it.

import headless from "@xterm/headless";
import { ModelWidths } from "../src/term/unicode.ts";
import type { Attributes, BufferState, Cell, Core, Line } from "./internals.ts";

const WIDTHS = new ModelWidths();

/** The operating system command that writes to the clipboard. */
const CLIPBOARD = 52;

// In xterm.js' attributes: underlined at all, the rest being elsewhere; something is elsewhere; and there, the
// underline's style and colour, and whether that is a colour or none.
const UNDERLINED = 1 << 28;
const HAS_EXTENDED = 1 << 28;
const STYLE_SHIFT = 26;
const STYLE = 7;

// In a colour: what kind it is, none at all or true colour or else one of a palette; and the rest.
const KIND = 0x3000000;
const TRUE_COLOR = 0x3000000;
const COLOR = 0x3ffffff;
const INDEX = 0xff;

/** Stands for a link of which the terminal no longer knows where it leads. */
export const GONE = "to nowhere";

/** Stands for no character. */
const BLANK = "∅";

/** What of a terminal is told. */
export interface Depth {
  /** The rows above the screen, too. */
  scrollback: boolean;
}

/** See the file. */
export class ObservedTerminal {
  /** What it told its owner since that was last asked for: replies, bells, titles, clipboard. */
  #emitted: string[] = [];
  /** Colours that output changed. */
  #colors = new Map<number, string>();
  #terminal: InstanceType<typeof headless.Terminal>;
  #core: Core;

  constructor(cols: number, rows: number) {
    this.#terminal = new headless.Terminal({ allowProposedApi: true, cols, rows, scrollback: 100_000, logLevel: "off" });
    this.#core = (this.#terminal as unknown as { _core: Core })._core;
    this.#terminal.unicode.register(WIDTHS);
    this.#terminal.unicode.activeVersion = WIDTHS.version;
    this.#terminal.onData((data) => this.#emitted.push(`data ${JSON.stringify(data)}`));
    this.#terminal.onBinary((data) => this.#emitted.push(`data ${JSON.stringify(data)}`));
    this.#terminal.onBell(() => this.#emitted.push("bell"));
    this.#terminal.onTitleChange((title) => this.#emitted.push(`title ${JSON.stringify(title)}`));
    this.#terminal.parser.registerOscHandler(CLIPBOARD, (data) => {
      this.#emitted.push(`clipboard ${JSON.stringify(data)}`);
      return true;
    });
    this.#core._inputHandler.onColor((events) => {
      for (const { type, index, color } of events) {
        if (type === 0) this.#emitted.push(`color asked for ${index}`);
        else if (index === undefined) for (let at = 0; at < 256; at++) this.#colors.delete(at);
        else if (color) this.#colors.set(index, color.join());
        else this.#colors.delete(index);
      }
    });
  }

  write(bytes: Uint8Array): void {
    this.#core.writeSync(bytes);
  }

  resize(cols: number, rows: number): void {
    this.#terminal.resize(cols, rows);
  }

  /** What it told its owner since the last call. */
  takeEmitted(): string[] {
    return this.#emitted.splice(0);
  }

  /** Its state, a line per row and per thing that is not in a row; each begins with what it is about. */
  describe(depth: Depth): string[] {
    const { normal, alt, active } = this.#core.buffers;
    const lines = [
      `size ${this.#core.cols}x${this.#core.rows}`,
      `shown ${active === alt ? "alternate" : "primary"}`,
      `cursor at ${Math.min(active.x, this.#core.cols)},${active.y}`,
      ...this.#describeInput(),
      ...this.#describeModes(),
      ...this.#describeBuffer("primary", normal, depth.scrollback),
    ];
    // There is nothing on the alternate screen while it is not shown.
    if (active === alt) lines.push(...this.#describeBuffer("alternate", alt, true));
    else lines.push(...this.#describeSaved("alternate", alt));
    return lines;
  }

  /** What new characters will be like. */
  #describeInput(): string[] {
    const { charset, glevel, _charsets: designated } = this.#core._charsetService;
    // What is designated for the level in use shows when another level was in use, if a cursor was restored.
    const names = [0, 1, 2, 3].map((slot) => (slot === glevel ? "in use" : this.#charset(designated[slot])));
    return [
      `pen is ${this.#look(this.#core._inputHandler._curAttrData)}`,
      `charset is ${this.#charset(charset)} level ${glevel} of ${names.join()}`,
      `preceding is ${this.#core._inputHandler._parser.precedingJoinState}`,
    ];
  }

  #describeModes(): string[] {
    const { coreService, coreMouseService, options } = this.#core;
    const modes: Record<string, unknown> = {
      ...coreService.modes,
      ...coreService.decPrivateModes,
      cursorHidden: coreService.isCursorHidden,
      mouse: coreMouseService.activeProtocol,
      mouseEncoding: coreMouseService.activeEncoding,
      convertEol: options.convertEol,
      blink: options.cursorBlink,
      style: options.cursorStyle,
    };
    const colors = [...this.#colors].sort(([a], [b]) => a - b).map(([index, color]) => `${index}:${color}`);
    return [...Object.entries(modes).map(([name, value]) => `mode ${name} ${value}`), `colors ${colors.join(" ")}`];
  }

  #describeBuffer(name: string, buffer: BufferState, scrollback: boolean): string[] {
    const stops = Object.keys(buffer.tabs).filter((col) => Number(col) < this.#core.cols && buffer.tabs[Number(col)]);
    const first = scrollback ? 0 : buffer.ybase;
    const lines = [
      `${name} region ${buffer.scrollTop}-${buffer.scrollBottom}`,
      `${name} tabs ${stops.join()}`,
      ...this.#describeSaved(name, buffer),
      ...(scrollback ? [`${name} scrollback ${buffer.ybase}`] : []),
    ];
    for (let index = first; index < buffer.ybase + this.#core.rows; index++) {
      const line = buffer.lines.get(index);
      const place = index - buffer.ybase;
      if (!line) continue;
      const isWrapped = index > first && line.isWrapped && flowsOn(buffer.lines.get(index - 1), line);
      lines.push(`${name} row ${place} ${isWrapped ? "wrapped " : ""}${this.#row(line, place < 0 ? " " : BLANK)}`);
    }
    return lines;
  }

  #describeSaved(name: string, buffer: BufferState): string[] {
    const { savedX, savedY, ybase, savedCurAttrData, savedCharset } = buffer;
    const look = this.#look({ ...savedCurAttrData, extended: undefined });
    // A wrap that is due is not restored.
    const col = Math.min(savedX, this.#core.cols - 1);
    return [`${name} saved ${col},${Math.max(savedY - ybase, 0)} ${look} ${this.#charset(savedCharset)}`];
  }

  /** Cells that are alike are told together; `blank` stands for no character. */
  #row(line: Line, blank: string): string {
    const cells: string[] = [];
    let last = "";
    let count = 0;
    for (let col = 0; col < line.length; col++) {
      const cell = line.loadCell(col, this.#terminal.buffer.active.getNullCell() as unknown as Cell);
      const characters = cell.getChars();
      // Blanks of rows above the screen come as spaces, which are good at any width. Of what has no character there is only the background, whatever else it is said to look like.
      const look = characters ? this.#look(cell) : `0,${color(cell.bg & COLOR)}`;
      // Halves of wide characters that were cut are blank.
      const isHalf = !characters && cell.getWidth() === 0 && (col === 0 || line.getWidth(col - 1) !== 2);
      const width = cell.getWidth() === 1 || isHalf ? "" : cell.getWidth();
      const text = (characters || blank) + width + (look === "0,0" ? "" : `(${look})`);
      if (text === last) {
        count++;
        continue;
      }
      if (count > 0) cells.push(count > 1 ? `${count}*${last}` : last);
      last = text;
      count = 1;
    }
    cells.push(count > 1 ? `${count}*${last}` : last);
    return cells.join(" ");
  }

  /** How a cell looks, or how new ones will. What has no effect is left out. */
  #look({ fg, bg, extended }: Attributes): string {
    const ext = extended?.ext ?? 0;
    const link = extended?.urlId ? this.#core._oscLinkService.getLinkData(extended.urlId) : undefined;
    const style = (ext >> STYLE_SHIFT) & STYLE;
    const isUnderlined = (fg & UNDERLINED) !== 0 || ((bg & HAS_EXTENDED) !== 0 && style !== 0);
    const parts = [color(fg & ~UNDERLINED), color(bg & ~HAS_EXTENDED)];
    // An underline that is to have its text's colour again turns white instead.
    if (isUnderlined) parts.push(`underline ${style || 1} ${(ext & COLOR) === COLOR ? "0" : color(ext & COLOR)}`);
    if (extended?.urlId) parts.push(`link ${link ? `${link.id ?? ""};${link.uri}` : GONE}`);
    return parts.join();
  }

  /** A character set by what it shows for a few characters. */
  #charset(set: Record<string, string> | undefined): string {
    return set ? ["#", "[", "a", "q"].map((from) => set[from] ?? from).join("") : "";
  }
}

/** A colour and the attributes that are packed with it. What is left in it of former colours has no effect. */
function color(packed: number): string {
  const kind = packed & KIND;
  const effective = kind === TRUE_COLOR ? packed : packed & (kind === 0 ? ~(COLOR & ~KIND) : ~(COLOR & ~KIND) | INDEX);
  return (effective >>> 0).toString(16);
}

/** Whether printing makes one row from the other; or else something was erased, and that the line goes on means nothing. */
function flowsOn(above: Line | undefined, line: Line): boolean {
  if (!above || line.hasContent(0) === 0 || line.getWidth(0) === 0) return false;
  const isTaken = (col: number) => above.hasContent(col) !== 0 || above.getWidth(col) === 0;
  const last = above.length - 1;
  return isTaken(last) || (line.getWidth(0) === 2 && isTaken(last - 1));
}
