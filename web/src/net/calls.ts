// Matches the answers of `/ws` to the calls that they belong to.

/** An answer to a call. */
export interface Answer {
  id: number;
  /** What was asked for. */
  result?: unknown;
  /** Why it was refused. */
  error?: string;
}

/** The most calls that wait for an answer; the gateway takes no more either. */
const MOST_WAITING = 32;

interface Waiting {
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

/** The calls that wait for an answer. */
export class Calls {
  #next = 1;
  #waiting = new Map<number, Waiting>();

  /** Makes a call; `send` is given its id and says whether it could be sent. */
  start(send: (id: number) => boolean): Promise<unknown> {
    if (this.#waiting.size >= MOST_WAITING) return Promise.reject(new Error("Too many questions are unanswered."));
    const id = this.#next++;
    if (!send(id)) return Promise.reject(new Error("Not connected."));
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  /** An answer came; one that nobody waits for is dropped. */
  answered(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.error === undefined) waiting?.resolve(answer.result);
    else waiting?.reject(new Error(answer.error));
  }

  /** The connection is gone, and the answers with it. */
  disconnect(): void {
    const lost = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const waiting of lost) waiting.reject(new Error("The connection broke before the gateway answered."));
  }
}
