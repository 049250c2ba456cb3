// Matches answers to the requests that they belong to.

import type { ErrorMessage, ServerMessage } from "../protocol.ts";

/** What a request that was done brings back. */
export type Done = Extract<ServerMessage, { type: "ok" }>;

/** A request that was refused, or that never got an answer. */
export class RequestError extends Error {
  /** What kind; `offline` when there was no connection. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

interface Waiting {
  resolve: (done: Done) => void;
  reject: (error: RequestError) => void;
}

/** The requests that wait for an answer. */
export class Requests {
  #next = 1;
  #waiting = new Map<number, Waiting>();

  /** Registers a request; `send` is given its id and says whether it could be sent. */
  start(send: (requestId: number) => boolean): Promise<Done> {
    const requestId = this.#next++;
    if (!send(requestId)) return Promise.reject(new RequestError("offline", "Not connected; nothing was changed."));
    return new Promise((resolve, reject) => this.#waiting.set(requestId, { resolve, reject }));
  }

  /** A request was done. */
  done(message: Done): void {
    this.#settle(message.requestId)?.resolve(message);
  }

  /** A refusal; `false` if it answers no request of ours. */
  refused(message: ErrorMessage): boolean {
    const waiting = this.#settle(message.requestId);
    waiting?.reject(new RequestError(message.code, message.message));
    return waiting !== undefined;
  }

  /** The connection is gone, and the answers with it. */
  disconnect(): void {
    const lost = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const waiting of lost) {
      waiting.reject(new RequestError("offline", "The connection broke before the gateway answered."));
    }
  }

  #settle(requestId: number | undefined): Waiting | undefined {
    if (requestId === undefined) return undefined;
    const waiting = this.#waiting.get(requestId);
    this.#waiting.delete(requestId);
    return waiting;
  }
}
