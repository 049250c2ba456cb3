// The binary frames of the native framing; see docs/protocol.md. All numbers are big-endian.

/** Kind byte, offset (u64), channel (u32). */
const OUTPUT_HEADER = 13;

/** Columns (u16), rows (u16), at the beginning of a restart's payload. */
const RESTART_SIZE = 4;

/** Kind byte, channel (u32). */
const INPUT_HEADER = 5;

/** Kind byte, channel (u32), number or offset (u64). */
const NUMBERED_HEADER = 13;

/** The kind bytes of what the gateway sends. */
const enum Incoming {
  Output = 1,
  Restart = 2,
  RestartPart = 3,
}

/** The kind bytes of what a viewer sends. */
const enum Sent {
  Report = 2,
  Input = 3,
  /** Input, and the next frame for its pane goes on with it. */
  InputPart = 4,
  Consumed = 5,
}

/** A terminal's size. */
export interface Cells {
  cols: number;
  rows: number;
}

/** Terminal output of one pane. */
export interface OutputFrame {
  /** `restart` is the last part of a snapshot, or all of it: the terminal is reset and shows the snapshot. */
  kind: "output" | "part" | "restart";
  /** The first payload byte's place in the pane's output, in bytes since the pane was made; a snapshot's place. */
  offset: number;
  /** The pane's channel. */
  channel: number;
  /** The size of the snapshot's screen; only a `restart` has one. */
  size?: Cells;
  /** The bytes, a view into the frame. */
  payload: Uint8Array;
}

/** Input that the gateway takes exactly once. */
export interface NumberedInput {
  /** Its place in everything that this page typed, counted from 1. */
  number: number;
  /** The next one for the same pane belongs to the same paste. */
  more: boolean;
  bytes: Uint8Array;
}

/** Takes a frame from the gateway apart; `undefined` if it makes no sense. */
export function decodeOutput(frame: ArrayBuffer): OutputFrame | undefined {
  if (frame.byteLength < OUTPUT_HEADER) return undefined;
  const view = new DataView(frame);
  const place = { offset: Number(view.getBigUint64(1)), channel: view.getUint32(9) };
  const payload = new Uint8Array(frame, OUTPUT_HEADER);
  switch (view.getUint8(0)) {
    case Incoming.Output:
      return { kind: "output", ...place, payload };
    case Incoming.RestartPart:
      return { kind: "part", ...place, payload };
    case Incoming.Restart: {
      if (payload.length < RESTART_SIZE) return undefined;
      const size = { cols: view.getUint16(OUTPUT_HEADER), rows: view.getUint16(OUTPUT_HEADER + 2) };
      return { kind: "restart", ...place, size, payload: payload.subarray(RESTART_SIZE) };
    }
    default:
      return undefined;
  }
}

/** What a terminal says by itself, which never wakes a pane; with a copy of `payload`. */
export function encodeReport(channel: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = begin(Sent.Report, channel, INPUT_HEADER + payload.length);
  frame.set(payload, INPUT_HEADER);
  return frame;
}

/** What a person typed; with a copy of its bytes. */
export function encodeInput(channel: number, { number, more, bytes }: NumberedInput): Uint8Array<ArrayBuffer> {
  const frame = begin(more ? Sent.InputPart : Sent.Input, channel, NUMBERED_HEADER + bytes.length);
  new DataView(frame.buffer).setBigUint64(INPUT_HEADER, BigInt(number));
  frame.set(bytes, NUMBERED_HEADER);
  return frame;
}

/** The terminal has taken in the pane's output up to `offset`. */
export function encodeConsumed(channel: number, offset: number): Uint8Array<ArrayBuffer> {
  const frame = begin(Sent.Consumed, channel, NUMBERED_HEADER);
  new DataView(frame.buffer).setBigUint64(INPUT_HEADER, BigInt(offset));
  return frame;
}

function begin(kind: Sent, channel: number, length: number): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(length);
  const view = new DataView(frame.buffer);
  view.setUint8(0, kind);
  view.setUint32(1, channel);
  return frame;
}

/** Cuts bytes into pieces of at most `limit` bytes, never inside a UTF-8 character. */
export function chunks(bytes: Uint8Array, limit: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let start = 0;
  while (start < bytes.length) {
    const end = characterEnd(bytes, start, Math.min(start + limit, bytes.length));
    pieces.push(bytes.subarray(start, end));
    start = end;
  }
  return pieces;
}

/** `end`, or the start of the character that it would cut. Bytes that are no UTF-8 are cut anywhere. */
function characterEnd(bytes: Uint8Array, start: number, end: number): number {
  let cut = end;
  while (cut < bytes.length && cut > start && end - cut < 4 && isContinuation(bytes[cut])) cut -= 1;
  return cut > start && !isContinuation(bytes[cut]) ? cut : end;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
