// What of the inside of xterm.js 6.0.0 is looked at: its own tests do so, too.

/** Colours and attributes as xterm.js packs them. */
export interface Attributes {
  fg: number;
  bg: number;
  extended: { ext: number; urlId: number } | undefined;
}

/** One cell of a line. */
export interface Cell extends Attributes {
  getChars(): string;
  getWidth(): number;
}

/** One row. */
export interface Line {
  length: number;
  isWrapped: boolean;
  hasContent(col: number): number;
  getWidth(col: number): number;
  loadCell(col: number, cell: Cell): Cell;
}

/** What the printable characters stand for, if not for themselves. */
export type Charset = Record<string, string> | undefined;

/** One of the two screens. */
export interface BufferState {
  x: number;
  y: number;
  ybase: number;
  scrollTop: number;
  scrollBottom: number;
  tabs: Record<number, boolean | undefined>;
  savedX: number;
  savedY: number;
  savedCurAttrData: { fg: number; bg: number };
  savedCharset: Charset;
  lines: { get(index: number): Line | undefined };
}

/** A colour that output sets, restores (no colour) or asks for (type 0). */
export interface ColorEvent {
  type: number;
  index: number | undefined;
  color?: [number, number, number];
}

/** The terminal behind the public one. */
export interface Core {
  cols: number;
  rows: number;
  options: { convertEol: boolean; cursorBlink: boolean; cursorStyle: string };
  buffers: { normal: BufferState; alt: BufferState; active: BufferState };
  coreService: { modes: object; decPrivateModes: object; isCursorHidden: boolean };
  coreMouseService: { activeProtocol: string; activeEncoding: string };
  _charsetService: { charset: Charset; glevel: number; _charsets: Charset[] };
  _oscLinkService: { getLinkData(id: number): { id?: string; uri: string } | undefined };
  _inputHandler: {
    _curAttrData: Attributes;
    _parser: { precedingJoinState: number };
    onColor(listener: (events: ColorEvent[]) => void): void;
  };
  writeSync(bytes: Uint8Array): void;
}
