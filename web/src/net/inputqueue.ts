// Typed bytes on their way to the gateway: numbered, kept until it says that it has them, and held back while there
// is no connection or no room. Knows no clock: every call brings the time in milliseconds.

import { chunks, type NumberedInput } from "./frame.ts";

/** The most bytes of one message, so that a paste does not hold up what is typed elsewhere. */
const MESSAGE_BYTES = 32 << 10;

/** The most bytes that may be on their way to one pane: little can be torn apart when one message is not taken. */
const LANE_BYTES = 32 << 10;

/** The most bytes that may be on their way to all panes. */
const SENT_BYTES = 256 << 10;

/** The most messages that may be on their way: of so many the gateway tells again what became of them. */
const SENT_MESSAGES = 64;

/** The most bytes that the gateway is to hold for one pane; it takes twice that. */
const PENDING_BYTES = 128 << 10;

/** The most bytes that are taken while the connection is down, besides what waited before. */
const HELD_BYTES = 64 << 10;

/** The most bytes that are taken while the connection is up: the largest paste. */
const QUEUED_BYTES = 8 << 20;

/**
 * How long a pane that had no room is left alone, in milliseconds; twice as long every further time. After two seconds
 * the gateway takes an open paste for complete.
 */
const FIRST_REST_MS = 50;
const LONGEST_REST_MS = 800;

/** Interrupt, quit and suspend: alone in a message, they go past what a program does not read. */
const INTERRUPTS = new Set([0x03, 0x1c, 0x1a]);

const NOTHING = new Uint8Array();

/** One message's worth of input. */
interface Piece {
  /** Counts pieces, so that one that comes back finds its place again. */
  place: number;
  /** The same for all pieces of a paste. */
  paste: number;
  /** Whether the paste begins with it. */
  first: boolean;
  /** Whether the paste goes on with the next piece. */
  more: boolean;
  /** At most `MESSAGE_BYTES`. */
  bytes: Uint8Array;
}

/** One numbered message. */
export interface InputFrame extends NumberedInput {
  /** The pane it is for. */
  paneId: string;
}

/** A message that is not known to have arrived. */
interface Sent extends InputFrame {
  piece: Piece;
  /** Whether this connection has carried it. */
  carried: boolean;
}

/** One pane's share of the queue. */
interface Lane {
  /** What is still to be sent. */
  pieces: Piece[];
  /** Bytes that are not known to have arrived. */
  sent: number;
  /** Until when nothing is sent, since the gateway had no room. */
  restUntil: number;
  /** How long the next rest is. */
  rest: number;
  /** The paste that was stopped last. */
  stopped: number | undefined;
}

/** Keeps the order per pane; panes do not wait for each other. */
export class InputQueue {
  #lanes = new Map<string, Lane>();
  /** Not known to have arrived, by number. */
  #sent: Sent[] = [];
  #unconfirmed = 0;
  #waiting = 0;
  /** What waited when the connection broke, in bytes. */
  #waitedBefore = 0;
  /** Which memory of this page the gateway counts under; none before its first word. */
  #memory: number | undefined;
  #nextNumber = 1;
  #nextPlace = 0;
  #nextPaste = 0;

  /** Bytes that were taken and are not on their way. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Bytes that were sent at least once and are not known to have arrived. */
  get unconfirmed(): number {
    return this.#unconfirmed;
  }

  /** Takes all of `bytes` or, when there is no room for them, none: then `false`. */
  push(paneId: string, bytes: Uint8Array, online: boolean): boolean {
    const limit = online ? QUEUED_BYTES : Math.min(QUEUED_BYTES, this.#waitedBefore + HELD_BYTES);
    if (this.#waiting + bytes.length > limit) return false;
    if (this.#joins(paneId, bytes)) return true;
    const paste = this.#nextPaste++;
    const parts = chunks(bytes, MESSAGE_BYTES);
    parts.forEach((part, index) => {
      const more = index < parts.length - 1;
      this.#putBack(paneId, { place: this.#nextPlace++, paste, first: index === 0, more, bytes: part });
    });
    return true;
  }

  /** What is to be sent now: first what an older connection carried. `pending` tells what the gateway holds for a pane. */
  take(pending: (paneId: string) => number, now: number): InputFrame[] {
    const ready: InputFrame[] = this.#sent.filter((frame) => !frame.carried);
    for (const frame of this.#sent) frame.carried = true;
    for (const [paneId, lane] of this.#lanes) {
      if (lane.restUntil > now) continue;
      for (let next = lane.pieces[0]; next && this.#mayGo(paneId, next, pending(paneId)); next = lane.pieces[0]) {
        lane.pieces.shift();
        ready.push(this.#number(paneId, lane, next));
      }
    }
    return ready;
  }

  /** When a pane has rested that something waits for; `undefined`: none rests. */
  restUntil(now: number): number | undefined {
    const ends = [...this.#lanes.values()].filter((lane) => lane.pieces.length > 0 && lane.restUntil > now);
    return ends.length > 0 ? Math.min(...ends.map((lane) => lane.restUntil)) : undefined;
  }

  /** The gateway has everything up to a number. */
  acknowledged(applied: number): void {
    for (let oldest = this.#sent[0]; oldest && oldest.number <= applied; oldest = this.#sent[0]) {
      this.#remove(oldest.number);
      const lane = this.#lane(oldest.paneId);
      lane.rest = FIRST_REST_MS;
      if (lane.sent === 0 && lane.pieces.length === 0) this.#lanes.delete(oldest.paneId);
    }
  }

  /** The gateway had no room for a message: its bytes are sent again before anything later for that pane. */
  sendAgain(number: number, now: number): void {
    const frame = this.#remove(number);
    if (!frame) return;
    const lane = this.#lane(frame.paneId);
    // A paste that was stopped only ends: there may never be room for it.
    const isStopped = frame.piece.paste === lane.stopped;
    this.#putBack(frame.paneId, isStopped ? { ...frame.piece, bytes: NOTHING } : frame.piece);
    lane.restUntil = now + lane.rest;
    lane.rest = Math.min(2 * lane.rest, LONGEST_REST_MS);
  }

  /**
   * The gateway refused a message. Returns how many bytes are lost: the rest of its paste goes with it. `undefined`
   * if the answer was known already.
   */
  refused(number: number): number | undefined {
    const frame = this.#remove(number);
    if (!frame) return undefined;
    return frame.bytes.length + this.#drop(this.#lane(frame.paneId), (piece) => piece.paste === frame.piece.paste);
  }

  /** The connection is gone. What it carried is kept. */
  disconnected(): void {
    this.#waitedBefore = this.#waiting;
    for (const frame of this.#sent) frame.carried = false;
  }

  /**
   * A new connection, to a gateway that remembers under `memory` that everything up to `applied` was dealt with. If the
   * numbers were counted under another one, nobody knows whether what was sent has arrived: it is not sent again, nor
   * is the rest of a paste without its beginning. Returns how many bytes that were.
   */
  resumed(memory: number, applied: number): number {
    const isSame = memory === this.#memory;
    const uncertain = isSame ? 0 : this.#unconfirmed + this.#dropRests();
    this.acknowledged(isSame ? applied : Number.POSITIVE_INFINITY);
    if (!isSame) this.#nextNumber = applied + 1;
    this.#memory = memory;
    return uncertain;
  }

  /** Drops what waits for a pane. Returns how many bytes that were. */
  discard(paneId: string): number {
    return this.#stop(paneId, () => NOTHING);
  }

  /** Drops what waits for a pane, so that an interrupt key goes past it. Returns how many bytes that were. */
  interrupt(paneId: string): number {
    this.#lane(paneId).restUntil = 0;
    return this.#stop(paneId, bracketEnd);
  }

  /**
   * Drops what is meant for panes that are no more, unless this connection has carried it: then the gateway tells
   * what became of it. Numbers that were given stay, without bytes. Returns how many bytes were dropped.
   */
  retain(isOpen: (paneId: string) => boolean): number {
    const before = this.#waiting + this.#unconfirmed;
    const gone = this.#sent.filter((frame) => !frame.carried && !isOpen(frame.paneId));
    for (const frame of gone) {
      this.#unconfirmed -= frame.bytes.length;
      this.#lane(frame.paneId).sent -= frame.bytes.length;
      frame.bytes = new Uint8Array();
    }
    for (const [paneId, lane] of this.#lanes) {
      if (isOpen(paneId)) continue;
      this.#drop(lane, () => true);
      if (lane.sent === 0) this.#lanes.delete(paneId);
    }
    return before - this.#waiting - this.#unconfirmed;
  }

  #mayGo(paneId: string, piece: Piece, pending: number): boolean {
    const size = piece.bytes.length;
    if (this.#sent.length >= SENT_MESSAGES || this.#unconfirmed + size > SENT_BYTES) return false;
    const underway = this.#sent.filter((frame) => frame.paneId === paneId);
    // Of two messages, the second may be taken and the first not: nothing goes along with a piece of a paste.
    if (underway.length > 0 && (isPart(piece) || underway.some((frame) => isPart(frame.piece)))) return false;
    // An interrupt key makes room. A paste that was begun goes on: the gateway refuses what it has no room for, but
    // takes a pause for the end.
    if (!piece.first || isInterrupt(piece.bytes)) return true;
    return this.#lane(paneId).sent + size <= Math.min(LANE_BYTES, PENDING_BYTES - pending);
  }

  /** Drops what waits for a pane; of a paste that was begun, `end` of its last piece is left. Returns how many bytes. */
  #stop(paneId: string, end: (last: Uint8Array) => Uint8Array): number {
    const lane = this.#lane(paneId);
    const next = lane.pieces[0];
    const last = lane.pieces.findLast(({ paste }) => paste === next?.paste);
    const dropped = this.#drop(lane, () => true);
    if (!next || !last || next.first) return dropped;
    // The gateway keeps everybody else's keys back until a paste has ended.
    lane.stopped = next.paste;
    const bytes = end(last.bytes);
    this.#putBack(paneId, { ...next, more: false, bytes });
    return dropped - bytes.length;
  }

  /** Drops what is left of pastes that were begun. Returns how many bytes that were. */
  #dropRests(): number {
    let bytes = 0;
    for (const lane of this.#lanes.values()) {
      const begun = lane.pieces[0];
      if (begun && !begun.first) bytes += this.#drop(lane, (piece) => piece.paste === begun.paste);
    }
    return bytes;
  }

  /** Adds to what waits last for a pane, if that is keys and not part of a paste. */
  #joins(paneId: string, bytes: Uint8Array): boolean {
    const last = this.#lane(paneId).pieces.at(-1);
    if (!last || isPart(last) || isInterrupt(last.bytes) || last.bytes.length + bytes.length > MESSAGE_BYTES) return false;
    const joined = new Uint8Array(last.bytes.length + bytes.length);
    joined.set(last.bytes);
    joined.set(bytes, last.bytes.length);
    last.bytes = joined;
    this.#waiting += bytes.length;
    return true;
  }

  #number(paneId: string, lane: Lane, piece: Piece): Sent {
    const { more, bytes } = piece;
    const frame = { paneId, number: this.#nextNumber++, more, bytes, piece, carried: true };
    this.#sent.push(frame);
    lane.sent += bytes.length;
    this.#unconfirmed += bytes.length;
    this.#waiting -= bytes.length;
    return frame;
  }

  /** Forgets a message that was sent. */
  #remove(number: number): Sent | undefined {
    const at = this.#sent.findIndex((frame) => frame.number === number);
    const [frame] = at < 0 ? [] : this.#sent.splice(at, 1);
    if (frame) this.#lane(frame.paneId).sent -= frame.bytes.length;
    this.#unconfirmed -= frame?.bytes.length ?? 0;
    return frame;
  }

  /** Puts a piece before everything later. */
  #putBack(paneId: string, piece: Piece): void {
    const { pieces } = this.#lane(paneId);
    const at = pieces.findIndex((other) => other.place > piece.place);
    pieces.splice(at < 0 ? pieces.length : at, 0, piece);
    this.#waiting += piece.bytes.length;
  }

  /** Drops the pieces of a lane that are to go. Returns how many bytes that were. */
  #drop(lane: Lane, goes: (piece: Piece) => boolean): number {
    const dropped = lane.pieces.filter(goes);
    lane.pieces = lane.pieces.filter((piece) => !goes(piece));
    const bytes = dropped.reduce((sum, piece) => sum + piece.bytes.length, 0);
    this.#waiting -= bytes;
    return bytes;
  }

  #lane(paneId: string): Lane {
    const lane = this.#lanes.get(paneId) ?? { pieces: [], sent: 0, restUntil: 0, rest: FIRST_REST_MS, stopped: undefined };
    this.#lanes.set(paneId, lane);
    return lane;
  }
}

/** Whether a piece is not all of what was pasted. */
function isPart({ first, more }: Piece): boolean {
  return more || !first;
}

/** Whether input is one interrupt key and nothing else. */
export function isInterrupt(bytes: Uint8Array): boolean {
  return bytes.length === 1 && INTERRUPTS.has(bytes[0] ?? 0);
}

/** What tells a program that asked for it that a paste is over, if these bytes end with that. */
function bracketEnd(bytes: Uint8Array): Uint8Array {
  const end = bytes.subarray(-6);
  return new TextDecoder().decode(end) === "\x1b[201~" ? end : NOTHING;
}
