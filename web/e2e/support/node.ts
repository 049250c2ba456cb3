// A real node: a process of its own, with a home that is not the gateway's.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Gateway, PROGRAM, TOKEN } from "./gateway.ts";

/** A node of a gateway. */
export class Node {
  #gateway: Gateway;
  #home = mkdtempSync(join(tmpdir(), "everpane-e2e-node-"));
  #process: ChildProcess | undefined;

  /** One that is not started yet. */
  constructor(gateway: Gateway) {
    this.#gateway = gateway;
    mkdirSync(join(this.#home, "inside"));
    writeFileSync(join(this.#home, ".bashrc"), "PS1='on-the-node$ '\nunset HISTFILE PROMPT_COMMAND\n");
  }

  /** Starts it, under this id. */
  start(id: string): void {
    const place = ["--gateway", this.#gateway.origin, "--id", id, "--state-dir", join(this.#home, ".state")];
    const shell = ["--shell", "/bin/bash", "--cwd", this.#home, "--root", this.#home];
    const env = { PATH: process.env["PATH"], HOME: this.#home, EVERPANE_NODE_TOKEN: TOKEN, EVERPANE_LOG: "error" };
    this.#process = spawn(PROGRAM, ["node", ...place, ...shell], { env, stdio: ["ignore", "ignore", "inherit"] });
  }

  /** Ends it with no chance to say goodbye. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Ends it and removes what it kept. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
    rmSync(this.#home, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }
}
