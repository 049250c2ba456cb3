// The binary frames of the native framing; see docs/protocol.md. All numbers are big-endian.

/** Kind byte, offset (u64), channel (u32). */
const OUTPUT_HEADER = 13;

/** Kind byte, channel (u32). */
const INPUT_HEADER = 5;

/** Terminal output of one pane. */
export interface OutputFrame {
  /** `restart`: the payload does not follow what the viewer had; the terminal is reset first. */
  kind: "output" | "restart";
  /** Where the first payload byte lies in the pane's output, in bytes since the pane was made. */
  offset: number;
  /** The pane's channel. */
  channel: number;
  /** The bytes, a view into the frame. */
  payload: Uint8Array;
}

/** `input` is what a person typed; a `report` is sent by the terminal itself and never wakes a pane. */
export type InputKind = "input" | "report";

/** Takes a frame from the gateway apart; `undefined` if it makes no sense. */
export function decodeOutput(frame: ArrayBuffer): OutputFrame | undefined {
  if (frame.byteLength < OUTPUT_HEADER) return undefined;
  const view = new DataView(frame);
  const kind = view.getUint8(0);
  if (kind !== 1 && kind !== 2) return undefined;
  return {
    kind: kind === 1 ? "output" : "restart",
    offset: Number(view.getBigUint64(1)),
    channel: view.getUint32(9),
    payload: new Uint8Array(frame, OUTPUT_HEADER),
  };
}

/** A frame for the gateway with a copy of `payload`. */
export function encodeInput(kind: InputKind, channel: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(INPUT_HEADER + payload.length);
  const view = new DataView(frame.buffer);
  view.setUint8(0, kind === "input" ? 1 : 2);
  view.setUint32(1, channel);
  frame.set(payload, INPUT_HEADER);
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
