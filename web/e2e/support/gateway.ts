// The real program on a free port, with a home and a data directory of its own.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "vitest";

/** The program that is tested. */
export const PROGRAM = resolve(process.env["EVERPANE_BIN"] ?? "../target/debug/everpane");

/** Long enough to be taken, and to be seen where it must not be. */
export const TOKEN = "a-token-for-the-tests";

/** What every shell starts with: a prompt that is the same on every machine, and no history. */
const SHELL_RC = "PS1='ready$ '\nunset HISTFILE PROMPT_COMMAND\n";

/** A gateway. */
export class Gateway {
  /** A directory that is gone afterwards; also the home of the shells. */
  readonly home: string;
  #data: string;
  #process: ChildProcess | undefined;
  #config: string;
  #port = 0;

  private constructor(allowedOrigins: string[]) {
    const root = mkdtempSync(join(tmpdir(), "everpane-e2e-"));
    this.home = join(root, "home");
    this.#data = join(root, "data");
    this.#config = join(root, "everpane.toml");
    mkdirSync(this.home);
    // A list of strings is the same in TOML and in JSON.
    // And shells that end with their gateway.
    const settings = `allowed_origins = ${JSON.stringify(allowedOrigins)}\n[host]\nprocess = false\n`;
    writeFileSync(this.#config, settings);
    writeFileSync(join(this.home, ".bashrc"), SHELL_RC);
  }

  /** Starts a gateway that has never run before, and serves pages under these origins besides its own. */
  static async start(allowedOrigins: string[] = []): Promise<Gateway> {
    const gateway = new Gateway(allowedOrigins);
    try {
      await gateway.start();
      return gateway;
    } catch (error) {
      await gateway.stop();
      throw error;
    }
  }

  /** Its address, without a path. */
  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The address that lets a browser in. */
  get pageUrl(): string {
    return `${this.origin}/?token=${TOKEN}`;
  }

  /** Starts it where it was before. */
  async start(): Promise<void> {
    const place = ["--listen", `127.0.0.1:${this.#port}`, "--data-dir", this.#data, "--config", this.#config];
    const shell = ["--shell", "/bin/bash", "--cwd", this.home];
    const env = { PATH: process.env["PATH"], HOME: this.home, EVERPANE_TOKEN: TOKEN };
    const child = spawn(PROGRAM, ["serve", ...place, ...shell], { env, stdio: ["ignore", "pipe", "inherit"] });
    const failed = once(child, "exit").then(([code]) => Promise.reject(new Error(`the gateway ended with ${code}`)));
    const [line] = await Promise.race([once(createInterface(child.stdout), "line"), failed]);
    failed.catch(() => undefined);
    this.#process = child;
    this.#port = Number(/:(\d+)\//.exec(String(line))?.[1]);
  }

  /** Ends it with no chance to say goodbye. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Ends it and removes what it kept. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
    rmSync(join(this.home, ".."), { recursive: true, force: true });
  }

  /** The ids of the programs that run in panes. */
  programs(): number[] {
    try {
      const ids = execFileSync("pgrep", ["--parent", String(this.#process?.pid)], { encoding: "utf8" });
      return ids.trim().split("\n").map(Number);
    } catch {
      // None: pgrep says so by failing.
      return [];
    }
  }

  /** Waits until a text that a program printed is on the disk. */
  async saved(text: string): Promise<void> {
    const outputs = join(this.#data, "output");
    const isSaved = (): boolean =>
      readdirSync(outputs).some((name) => name.endsWith(".out") && readFileSync(join(outputs, name), "latin1").includes(text));
    await expect.poll(isSaved, { message: `${text} is saved` }).toBe(true);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }
}
