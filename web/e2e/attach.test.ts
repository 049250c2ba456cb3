// What `everpane attach` puts into a terminal is what a page shows of the same pane.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import headless from "@xterm/headless";
import { expect } from "vitest";
import { type Gateway, PROGRAM, TOKEN } from "./support/gateway.ts";
import { test } from "./support/stage.ts";
import { ModelWidths } from "../src/term/unicode.ts";

/** Colours and places all over the screen, with the prompt below them. */
const PICTURE = `#!/bin/bash
printf '\\e[2J\\e[H\\e[1;31mbold red\\e[0m \\e[4;38;5;208mline\\e[0m \\e[48;2;20;60;120mdeep\\e[0m \\e[7mback\\e[0m\\n'
printf '日本語 e\\u0301 🎉 \\e[3;9mslant\\e[0m\\e[10;20Hfar\\e[5;60H\\e[42mgreen\\e[0m\\e[3;5r\\e[5;1H\\n\\nscrolled\\e[r\\e[12;1H'
`;

/** A terminal in which `everpane attach` runs, as large as the pane. */
class Attached {
  #process: ChildProcess;
  #terminal: InstanceType<typeof headless.Terminal>;

  constructor(gateway: Gateway, cols: number, rows: number) {
    this.#terminal = new headless.Terminal({ allowProposedApi: true, cols, rows });
    const widths = new ModelWidths();
    this.#terminal.unicode.register(widths);
    this.#terminal.unicode.activeVersion = widths.version;
    const attach = `stty cols ${cols} rows ${rows}; exec '${PROGRAM}' attach --gateway ${gateway.origin}`;
    const env = { PATH: process.env["PATH"], HOME: gateway.home, SHELL: "/bin/sh", TERM: "xterm-256color", EVERPANE_TOKEN: TOKEN };
    // It makes the terminal, and passes on what comes and goes.
    this.#process = spawn("script", ["--quiet", "--flush", "--return", "--command", attach, "/dev/null"], { env, stdio: ["pipe", "pipe", "inherit"] });
    this.#process.stdout?.on("data", (bytes: Buffer) => this.#terminal.write(bytes));
  }

  /** The rows of its screen, as a page's pane has them. */
  get text(): string {
    const { active } = this.#terminal.buffer;
    const rows = Array.from({ length: this.#terminal.rows }, (_, row) => active.getLine(active.baseY + row)?.translateToString(true) ?? "");
    return rows.map((row) => row.trimEnd()).join("\n").trimEnd();
  }

  type(text: string): void {
    this.#process.stdin?.write(text);
  }

  /** Detaches, and gives the exit code. */
  async leave(): Promise<number> {
    const ended = once(this.#process, "exit");
    this.type("\x1c\x1c");
    return (await ended)[0] as number;
  }
}

test("an attached terminal shows what the page shows", async ({ gateway, open }) => {
  const picture = join(gateway.home, "picture");
  writeFileSync(picture, PICTURE);
  chmodSync(picture, 0o755);
  const page = await open();
  await page.sees(/^ready\$/);
  await page.run("echo size-$COLUMNS-$LINES");
  const [cols, rows] = await page.reads(/^size-(\d+)-(\d+)$/m);

  const attached = new Attached(gateway, Number(cols), Number(rows));
  // Both may still change.
  const showTheSame = async (): Promise<void> => {
    await expect
      .poll(async () => {
        const { text } = await page.pane();
        return attached.text === text ? "the same" : { page: text, attached: attached.text };
      })
      .toBe("the same");
  };
  await expect.poll(() => attached.text).toMatch(/^size-/m);
  await showTheSame();
  attached.type("./picture\r");
  await page.sees(/far/);
  await showTheSame();
  for (let line = 1; line <= 3; line += 1) await page.run(`seq ${line}0 ${line}9; echo from the page $((${line} * 7))`);
  await page.sees(/^from the page 21\nready\$$/m);
  await showTheSame();
  attached.type("printf '\\e[?1049h'; ./picture; read -r; printf '\\e[?1049l'\r");
  await expect.poll(async () => (await page.pane()).text).not.toMatch(/from the page/);
  await showTheSame();
  attached.type("\r");
  await page.sees(/^from the page 21$/m);
  await showTheSame();
  expect(await attached.leave()).toBe(0);
});
