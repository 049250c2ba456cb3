// Typed bytes on their way to the gateway: held while the connection is down, paced when there are many.

import { chunks } from "./frame.ts";

/** The most bytes of one message, so that a paste does not hold up what is typed elsewhere. */
const MESSAGE_BYTES = 16 << 10;

/** The most bytes that may be on their way to one pane or held for it by the gateway, which takes twice that. */
const WINDOW_BYTES = 128 << 10;

/** The most bytes that are taken while the connection is down. */
const HELD_BYTES = 64 << 10;

/** The most bytes that are taken while the connection is up: the largest paste. */
const QUEUED_BYTES = 8 << 20;

/** One message's worth of input. */
export interface Piece {
  /** The pane it is for. */
  paneId: string;
  /** At most 16 KiB. */
  bytes: Uint8Array;
}

/** One pane's share of the queue. */
interface Lane {
  /** What is still to be sent. */
  pieces: Uint8Array[];
  /** Bytes sent since the last barrier, so not yet known to have arrived. */
  sent: number;
  /** Bytes sent before the barrier that is under way. */
  fenced: number;
}

/** Keeps the order per pane; panes do not wait for each other. */
export class InputQueue {
  #lanes = new Map<string, Lane>();
  #held = 0;

  /** Bytes that were taken and not yet sent. */
  get held(): number {
    return this.#held;
  }

  /** Bytes sent of which nobody knows whether they arrived. */
  get unconfirmed(): number {
    let bytes = 0;
    for (const lane of this.#lanes.values()) bytes += lane.sent + lane.fenced;
    return bytes;
  }

  /** Takes all of `bytes` or, when there is no room for them, none: then `false`. */
  push(paneId: string, bytes: Uint8Array, online: boolean): boolean {
    if (this.#held + bytes.length > (online ? QUEUED_BYTES : HELD_BYTES)) return false;
    this.#lane(paneId).pieces.push(...chunks(bytes, MESSAGE_BYTES));
    this.#held += bytes.length;
    return true;
  }

  /** What may be sent now. `pending` tells how many bytes the gateway holds for a pane. */
  take(pending: (paneId: string) => number): Piece[] {
    const ready: Piece[] = [];
    for (const [paneId, lane] of this.#lanes) {
      let room = WINDOW_BYTES - pending(paneId) - lane.sent - lane.fenced;
      for (let next = lane.pieces[0]; next && next.length <= room; next = lane.pieces[0]) {
        lane.pieces.shift();
        lane.sent += next.length;
        room -= next.length;
        this.#held -= next.length;
        ready.push({ paneId, bytes: next });
      }
    }
    return ready;
  }

  /** A ping was sent after everything taken so far. */
  fence(): void {
    for (const lane of this.#lanes.values()) {
      lane.fenced += lane.sent;
      lane.sent = 0;
    }
  }

  /** The answer to that ping came: what was sent before it has arrived. */
  confirm(): void {
    for (const [paneId, lane] of this.#lanes) {
      lane.fenced = 0;
      if (lane.sent === 0 && lane.pieces.length === 0) this.#lanes.delete(paneId);
    }
  }

  /** The connection is gone. Returns how many sent bytes may or may not have arrived; they are not sent again. */
  disconnect(): number {
    const unconfirmed = this.unconfirmed;
    this.fence();
    this.confirm();
    return unconfirmed;
  }

  /** Drops what waits for a pane. */
  discard(paneId: string): void {
    const lane = this.#lanes.get(paneId);
    if (!lane) return;
    for (const piece of lane.pieces) this.#held -= piece.length;
    lane.pieces = [];
  }

  /** Drops what waits for panes that are no more. Returns how many bytes that were. */
  retain(isOpen: (paneId: string) => boolean): number {
    const before = this.#held;
    for (const paneId of this.#lanes.keys()) {
      if (!isOpen(paneId)) this.discard(paneId);
    }
    return before - this.#held;
  }

  #lane(paneId: string): Lane {
    const lane = this.#lanes.get(paneId) ?? { pieces: [], sent: 0, fenced: 0 };
    this.#lanes.set(paneId, lane);
    return lane;
  }
}
