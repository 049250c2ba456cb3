// A walk through the folders of a machine, one listing at a time. Only the answer to the newest question counts.

import type { Directories } from "../protocol.ts";

/** A folder on the way from the root to the current one. */
export interface Crumb {
  name: string;
  path: string;
}

/** A walk through folders. */
export class Folders {
  /** The folder that the walk began in; nothing outside of it is shown. */
  #root: string | undefined;
  #listing: Directories | undefined;
  #error = "";
  /** Counts the questions. */
  #asked = 0;
  #busy = false;

  /** The folder that is shown; none before the first answer. */
  get current(): string | undefined {
    return this.#listing?.current;
  }

  /** The names of the folders in it. */
  get names(): string[] {
    return this.#listing?.directories ?? [];
  }

  /** Why the newest question was refused; else empty. */
  get error(): string {
    return this.#error;
  }

  /** Whether an answer is waited for. */
  get busy(): boolean {
    return this.#busy;
  }

  /** The folders from the root to the current one, both included. */
  get crumbs(): Crumb[] {
    const current = this.#listing?.current;
    return current === undefined ? [] : crumbs(this.#root ?? current, current);
  }

  /** The folder above the current one, if it may be shown. */
  get parent(): string | undefined {
    return this.crumbs.at(-2)?.path;
  }

  /** The path of a folder in the current one. */
  below(name: string): string {
    return join(this.current ?? "", name);
  }

  /** A question begins; what it is called in its answer. */
  ask(): number {
    this.#asked += 1;
    this.#busy = true;
    return this.#asked;
  }

  /** An answer; `false` if it came too late to count. */
  told(question: number, listing: Directories): boolean {
    if (!this.#settle(question)) return false;
    this.#root ??= listing.current;
    this.#listing = listing;
    this.#error = "";
    return true;
  }

  /** A refusal: what was shown stays. `false` if it came too late to count. */
  refused(question: number, reason: string): boolean {
    if (!this.#settle(question)) return false;
    this.#error = reason;
    return true;
  }

  #settle(question: number): boolean {
    if (question !== this.#asked) return false;
    this.#busy = false;
    return true;
  }
}

function crumbs(root: string, current: string): Crumb[] {
  const first = { name: root, path: root };
  const prefix = root.endsWith("/") ? root : `${root}/`;
  // Who is led elsewhere by the gateway stands in a root of its own.
  if (current !== root && !current.startsWith(prefix)) return [first, { name: current, path: current }];
  const way: Crumb[] = [first];
  for (const name of current.slice(prefix.length).split("/").filter((part) => part !== "")) {
    way.push({ name, path: join(way.at(-1)?.path ?? "", name) });
  }
  return way;
}

function join(folder: string, name: string): string {
  return folder.endsWith("/") ? `${folder}${name}` : `${folder}/${name}`;
}
