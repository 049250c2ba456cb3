// One pane's terminal: xterm.js with its addons, and a judgement on where each byte it emits comes from.

import { ClipboardAddon } from "@xterm/addon-clipboard";
import { FitAddon } from "@xterm/addon-fit";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal } from "@xterm/xterm";
import { isReport } from "../model/report.ts";
import { ALL_ROWS } from "../model/scrollback.ts";
import type { OutputPiece } from "../model/stream.ts";
import type { Cells } from "../net/frame.ts";
import { WriteOnlyClipboard } from "./clipboard.ts";
import { linkHint, openLink } from "./links.ts";
import { Renderer } from "./renderer.ts";
import { type Matches, Search } from "./search.ts";
import { FONT_FAMILY, terminalTheme } from "./theme.ts";
import { ModelWidths } from "./unicode.ts";
import { Writer, type WriterEvents } from "./writer.ts";

/** The height of a row, as a multiple of that which the font gives a line. */
const LINE_HEIGHT = 1.15;

/** With Shift, they scroll up. */
const SCROLL_UP_KEYS = new Set(["PageUp", "Home", "ArrowUp"]);

/** All terminals measure alike. */
const WIDTHS = new ModelWidths();

/** How a terminal looks. */
export interface Look {
  dark: boolean;
  /** In pixels. */
  fontSize: number;
}

/** The style of text that is as wide as the terminals' cells. */
export function cellStyle(fontSize: number): Partial<CSSStyleDeclaration> {
  return { fontFamily: FONT_FAMILY, fontSize: `${fontSize}px`, lineHeight: "normal", display: "inline-block" };
}

/** The height of the terminals' rows, in pixels, of text that is so high: as xterm.js rounds it. */
export function rowHeight(textHeight: number): number {
  return Math.floor(Math.ceil(textHeight * devicePixelRatio) * LINE_HEIGHT) / devicePixelRatio;
}

/** What a terminal tells its owner. */
export interface TerminalEvents extends WriterEvents {
  /** A person typed or pasted. */
  input(text: string): void;
  /** The terminal said something by itself. */
  report(bytes: Uint8Array): void;
  /** A program rang the bell. */
  bell(): void;
  /** A key went down; `true`: it was a command and does not go to the terminal. */
  key(event: KeyboardEvent): boolean;
  /** The search found something. */
  found(matches: Matches): void;
}

/** The terminal of one pane. */
export class PaneTerminal {
  readonly search: Search;
  #terminal: Terminal;
  #fit = new FitAddon();
  #renderer: Renderer;
  #events: TerminalEvents;
  #encoder = new TextEncoder();
  #writer: Writer;
  /** Where the next data comes from, if that is known before it comes. */
  #source: "key" | "paste" | "wheel" | undefined;
  #ending = new AbortController();

  constructor(look: Look, events: TerminalEvents) {
    this.#events = events;
    this.#terminal = new Terminal({
      allowProposedApi: true,
      // A click is no key: it must not move a cursor by typing arrows.
      altClickMovesCursor: false,
      fontFamily: FONT_FAMILY,
      fontSize: look.fontSize,
      lineHeight: LINE_HEIGHT,
      linkHandler: { activate: openLink, hover: (_, text) => this.#hint(text), leave: () => this.#hint("") },
      macOptionIsMeta: true,
      rescaleOverlappingGlyphs: true,
      scrollback: ALL_ROWS,
      theme: terminalTheme(look.dark),
    });
    this.#renderer = new Renderer(this.#terminal);
    this.search = new Search(this.#terminal, events.found);
    this.#writer = new Writer(this.#terminal, events);
    this.#loadAddons();
    this.#listen();
  }

  /** The text that is selected. */
  get selection(): string {
    return this.#terminal.getSelection();
  }

  /** Shows the terminal in an element, which must be in the page. */
  open(mount: HTMLElement): void {
    this.#terminal.open(mount);
    const { signal } = this.#ending;
    // Before xterm.js sees it, so that pastes are known as such and take one way.
    mount.addEventListener("paste", (event) => this.#onPaste(event), { capture: true, signal });
  }

  /** Whether the other screen is shown, which has no scrollback. */
  get isOnOtherScreen(): boolean {
    return this.#terminal.buffer.active.type === "alternate";
  }

  /** Whether what was printed last is in the lower half of the screen. */
  get isLow(): boolean {
    return 2 * this.#terminal.buffer.active.cursorY >= this.#terminal.rows;
  }

  /** Takes output in. */
  write(piece: OutputPiece): void {
    this.#writer.write(piece);
  }

  /** The size that would fill the element it is in; `undefined` while that has none. */
  room(): Cells | undefined {
    const room = this.#fit.proposeDimensions();
    return room && Number.isFinite(room.cols) && Number.isFinite(room.rows) ? room : undefined;
  }

  /** Pastes text as if it came from the clipboard. */
  paste(text: string): void {
    this.#source = "paste";
    this.#terminal.paste(text);
    this.#source = undefined;
  }

  /** Shown or hidden. */
  setVisible(visible: boolean): void {
    if (visible) this.#renderer.acquire();
    else this.#renderer.release();
  }

  /** Changes colours and text size. */
  setLook(look: Look): void {
    this.#terminal.options.theme = terminalTheme(look.dark);
    this.#terminal.options.fontSize = look.fontSize;
  }

  /** Throws the scrollback of this view away; the gateway keeps its own. */
  clear(): void {
    this.#terminal.clear();
  }

  focus(): void {
    this.#terminal.focus();
  }

  dispose(): void {
    this.#ending.abort();
    this.#renderer.release();
    this.#terminal.dispose();
  }

  #loadAddons(): void {
    const terminal = this.#terminal;
    terminal.loadAddon(this.#fit);
    terminal.unicode.register(WIDTHS);
    terminal.unicode.activeVersion = WIDTHS.version;
    terminal.loadAddon(
      new WebLinksAddon(openLink, { hover: (_, text) => this.#hint(text), leave: () => this.#hint("") }),
    );
    // What history once put into the clipboard is not put there again.
    const clipboard = new WriteOnlyClipboard(() => !this.#writer.isReplaying && document.hasFocus());
    terminal.loadAddon(new ClipboardAddon(undefined, clipboard));
    // The newest handler is asked first: whoever asks for the clipboard gets no answer at all.
    terminal.parser.registerOscHandler(52, (data) => data.endsWith(";?"));
  }

  #listen(): void {
    const terminal = this.#terminal;
    terminal.attachCustomKeyEventHandler((event) => {
      if (event.type !== "keydown") return true;
      if (event.shiftKey && SCROLL_UP_KEYS.has(event.key)) this.#lookUp();
      return !this.#events.key(event);
    });
    terminal.onKey(() => {
      this.#writer.forgetPlace();
      this.#from("key");
    });
    terminal.attachCustomWheelEventHandler((event) => {
      this.#from("wheel");
      this.#onWheel(event);
      return true;
    });
    // The scrollbar, too; and a selection that is drawn past the edge.
    terminal.onScroll(() => {
      const { viewportY, baseY } = terminal.buffer.active;
      if (viewportY < baseY && !this.#writer.isRestarting) this.#lookUp();
    });
    terminal.onData((data) => this.#onData(data));
    terminal.onBinary((data) => this.#onBinary(data));
    terminal.onBell(() => {
      if (!this.#writer.isReplaying) this.#events.bell();
    });
  }

  /** Returns whether there will be more to look at than there is. */
  #lookUp(): boolean {
    const { type, viewportY } = this.#terminal.buffer.active;
    // A page before the top is soon enough to have the rest in time.
    return type === "normal" && this.#events.lookedUp(viewportY <= this.#terminal.rows);
  }

  #onWheel(event: WheelEvent): void {
    if (event.deltaY >= 0) return this.#writer.forgetPlace();
    if (this.#terminal.modes.mouseTrackingMode !== "none" || !this.#lookUp()) return;
    // There is nothing to scroll yet, so xterm.js does nothing.
    if (this.#terminal.buffer.active.viewportY === 0) this.#writer.lookFurtherUp(this.#wheelRows(event));
  }

  /** How many rows a turn of the wheel is; at least one. */
  #wheelRows({ deltaMode, deltaY }: WheelEvent): number {
    const { rows, element } = this.#terminal;
    const rowHeight = (element?.querySelector(".xterm-screen")?.clientHeight ?? 0) / rows || 1;
    const unit = deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 / (2 * rowHeight) : deltaMode === WheelEvent.DOM_DELTA_LINE ? 1 : rows;
    return Math.max(1, Math.round(Math.abs(deltaY) * unit));
  }

  /** xterm.js emits the data of a key or a wheel step before it returns to the event loop. */
  #from(source: "key" | "wheel"): void {
    this.#source = source;
    queueMicrotask(() => {
      this.#source = undefined;
    });
  }

  #onData(data: string): void {
    const typed = this.#source === "key" || this.#source === "paste";
    // A wheel that types arrows (in a pager) is looking, too.
    const report = !typed && (this.#source === "wheel" || isReport(data));
    if (!report) this.#events.input(data);
    else if (!this.#writer.isReplaying) this.#events.report(this.#encoder.encode(data));
  }

  /** Only mouse reports of the old form are not text. */
  #onBinary(data: string): void {
    if (!this.#writer.isReplaying) this.#events.report(Uint8Array.from(data, (character) => character.charCodeAt(0)));
  }

  #onPaste(event: ClipboardEvent): void {
    event.preventDefault();
    event.stopPropagation();
    this.paste(event.clipboardData?.getData("text/plain") ?? "");
  }

  #hint(text: string): void {
    if (this.#terminal.element) this.#terminal.element.title = text === "" ? "" : linkHint(text);
  }
}
