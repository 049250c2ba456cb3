// How the product looks: pictures for people to judge, in web/test-results.

import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { NodeRecord } from "../src/protocol.ts";
import type { Gateway } from "./support/gateway.ts";
import { Nodes } from "./support/nodes.ts";
import { test } from "./support/stage.ts";
import type { Viewer } from "./support/viewer.ts";

const PICTURES = "test-results";

/** Pictures of 1600 by 1000 pixels, in which the text is large enough for a README. */
const VIEW = { window: { width: 1200, height: 750 }, scale: 4 / 3 };

/** What the shells of the pictures begin with. */
const LOOK = "PS1='\\[\\e[1;36m\\]\\w\\[\\e[0m\\] \\[\\e[35m\\]main\\[\\e[0m\\] \\[\\e[32m\\]❯\\[\\e[0m\\] '\n";

/** A build as a program would print it. */
const BUILD = `#!/bin/bash
bold=$'\\e[1;32m' off=$'\\e[0m'
step() { printf '%s%12s%s %s\\n' "$bold" "$1" "$off" "$2"; }
step Compiling 'orbit-wire v0.3.1'
step Compiling 'orbit-core v0.3.1'
step Compiling 'orbit v0.3.1'
step Finished '\`dev\` profile in 2.41s'
step Running 'tests/orbits.rs'
echo
for name in apsides_swap_at_half_a_turn eccentric_anomaly_converges period_follows_the_third_law; do
  printf 'test %-34s ... \\e[32mok\\e[0m\\n' "$name"
done
printf 'test %-34s ... \\e[33mignored\\e[0m\\n' perturbed_by_jupiter
printf '\\ntest result: \\e[32mok\\e[0m. 3 passed; 0 failed; 1 ignored; finished in 0.04s\\n\\n'
`;

/** A server as a program would log it, which then waits for requests. */
const SERVE = `#!/bin/bash
log() { printf '\\e[2m%s\\e[0m %s \\e[2morbit::serve\\e[0m %s\\n' "$1" "$2" "$3"; }
info=$'\\e[32m INFO\\e[0m' warn=$'\\e[33m WARN\\e[0m'
log 09:41:07 "$info" 'listening on 127.0.0.1:8080'
log 09:41:09 "$info" 'GET /bodies/ceres 200 in 1.2 ms'
log 09:41:12 "$info" 'GET /bodies/vesta 200 in 0.9 ms'
log 09:41:15 "$warn" 'GET /bodies/vulcan 404 in 0.3 ms'
log 09:41:21 "$info" 'POST /epochs 201 in 4.8 ms'
log 09:41:22 "$info" 'GET /bodies/pallas 200 in 1.1 ms'
exec -a orbit-serve sleep 1000
`;

/** A long job that does not live to see its end. */
const IMPORT = `#!/bin/bash
for part in 'asteroids.csv  612,004 rows' 'comets.csv       4,511 rows' 'satellites.csv     290 rows'; do
  printf '\\e[1;34mimport\\e[0m %s \\e[32mdone\\e[0m\\n' "$part"
done
printf '\\e[1;34mimport\\e[0m ephemerides.bin   \\e[36m━━━━━━━━━━━━━━━━\\e[2m━━━━━━━━\\e[0m  67 %%\\n'
kill -9 $$
`;

const BEFORE = `fn period(axis: f64, mass: f64) -> f64 {
    let mu = G * mass;
    2.0 * PI * (axis * axis * axis / mu).sqrt()
}
`;

/** Makes a small project to be looked at. */
function makeProject(gateway: Gateway): void {
  const project = join(gateway.home, "orbit");
  for (const directory of ["src", "tests", "docs"]) mkdirSync(join(project, directory), { recursive: true });
  for (const file of ["Cargo.toml", "README.md"]) writeFileSync(join(project, file), "");
  for (const [name, text] of Object.entries({ "check.sh": BUILD, "serve.sh": SERVE, "import.sh": IMPORT })) {
    writeFileSync(join(project, name), text);
    chmodSync(join(project, name), 0o755);
  }
  writeFileSync(join(project, "src", "kepler.rs.orig"), BEFORE);
  writeFileSync(join(project, "src", "kepler.rs"), BEFORE.replace("axis * axis * axis", "axis.powi(3)"));
  writeFileSync(join(gateway.home, "look"), LOOK);
}

/** Waits for a new shell, names its pane and gives it the look of the pictures. */
async function dress(viewer: Viewer, index: number, name: string): Promise<void> {
  await viewer.sees(/^ready\$/, index);
  await viewer.press("Control+Shift+R");
  await viewer.run(name);
  await expect.poll(async () => (await viewer.pane(index)).title).toContain(name);
  await viewer.run("cd orbit; . ../look; clear");
  await viewer.sees(/^~\/orbit main ❯$/, index);
}

/** Names the tab that is shown. */
async function nameTab(viewer: Viewer, index: number, name: string): Promise<void> {
  await viewer.press("Control+Shift+Y");
  await viewer.run(name);
  await expect.poll(() => viewer.page.locator(".tab").nth(index).textContent()).toBe(name);
}

/** Two tabs; in the first one three panes: a finished build, a server at work, and a job that died. */
async function playScene(viewer: Viewer): Promise<void> {
  await dress(viewer, 0, "tests");
  await viewer.run("ls --color");
  // What is typed while a program runs is echoed into its output.
  await viewer.sees(/tests\n.*❯$/);
  await viewer.run("diff --color=always -u src/kepler.rs{.orig,} | tail -n +3");
  await viewer.sees(/}\n.*❯$/);
  await viewer.run("./check.sh");
  await viewer.sees(/finished in 0.04s\n\n~/);
  await viewer.press("Control+Shift+E");
  await dress(viewer, 1, "server");
  await viewer.run("./serve.sh");
  await viewer.sees(/pallas/, 1);
  await viewer.press("Control+Shift+O");
  await dress(viewer, 2, "import");
  await viewer.run("exec ./import.sh");
  await viewer.seesCard(/SIGKILL/, 2);

  await nameTab(viewer, 0, "orbit");
  await viewer.press("Control+Shift+Enter");
  await viewer.seesPanes(1);
  await nameTab(viewer, 1, "notes");
  await viewer.page.locator(".tab").nth(0).click();
  await viewer.seesPanes(3);
  await viewer.seesCard(/SIGKILL/, 2);
}

/** Nodes in every state. */
function everyNode(): NodeRecord[] {
  const now = Math.floor(Date.now() / 1000);
  const node = { machine: "rack-2", cwd: "/srv/orbit", kind: "pty_host", status: "active", last_seen: now } as const;
  return [
    { id: "local", machine: "atlas", cwd: "/home/ada", kind: "local", status: "active" },
    { ...node, id: "box-7" },
    { ...node, id: "gpu-a", machine: "a-machine-with-a-very-long-name.cluster.example.org", suspect: true, last_seen: now - 12 },
    { ...node, id: "sandbox-31", status: "offline", why: "asleep", last_seen: now - 840 },
    { id: "reviewer", machine: "atlas", cwd: "/home/ada/orbit", port: 9000, status: "active", last_seen: now },
  ];
}

async function picture(viewer: Viewer, name: string): Promise<void> {
  // Where the pointer is, things light up.
  await viewer.page.mouse.move(0, 0);
  await viewer.page.screenshot({ path: join(PICTURES, `${name}.png`), animations: "disabled" });
}

for (const colorScheme of ["dark", "light"] as const) {
  test(`three panes, one of them dead, on a ${colorScheme} page`, async ({ gateway, open }) => {
    makeProject(gateway);
    const viewer = await open({ ...VIEW, colorScheme });
    expect(await viewer.page.locator("html").getAttribute("data-theme")).toBe(colorScheme);
    await playScene(viewer);
    await picture(viewer, `${colorScheme}-panes`);
    await viewer.press("Control+Shift+K");
    await picture(viewer, `${colorScheme}-palette`);
    await viewer.press("Escape");
    await viewer.press("Control+Shift+/");
    await picture(viewer, `${colorScheme}-help`);
    await viewer.press("Escape");
    await viewer.press("Control+Shift+F");
    await viewer.page.keyboard.type("orbit");
    await viewer.page.locator(".session-button").click();
    await picture(viewer, `${colorScheme}-menu`);
    await viewer.press("Escape");
    await viewer.click(1);
    await viewer.press("Control+Shift+X");
    await viewer.page.getByRole("dialog").waitFor();
    await picture(viewer, `${colorScheme}-question`);
  });

  test(`nodes, ${colorScheme}`, async ({ open }) => {
    const directories = ["assets", "docs", "migrations", "src", "target", "tests", "tools", "vendor", "web"];
    const nodes = new Nodes(everyNode(), () => ({ current: "/srv/orbit", directories }));
    const viewer = await open({ ...VIEW, colorScheme, before: (page) => nodes.join(page) });
    await viewer.sees(/^ready\$/);
    await viewer.press("Control+Shift+E");
    await viewer.sees(/^ready\$/, 1);
    await nodes.put("box-7", { state: "waking", attempt: 2, since: Date.now() - 12_000 });
    await viewer.seesCard(/Waking/, 1);
    await picture(viewer, `${colorScheme}-waking`);
    await nodes.put("box-7", { state: "lost", since: Date.now() - 60_000, reason: "the wake command ended with exit code 7" });
    await viewer.seesCard(/lost/, 1);
    await picture(viewer, `${colorScheme}-lost`);
    await viewer.press("Control+Shift+H");
    await viewer.page.locator(".roster-row").first().waitFor();
    await picture(viewer, `${colorScheme}-nodes`);
    await viewer.page.getByRole("button", { name: "New tab here: box-7" }).click();
    await viewer.page.locator(".folder-row").first().waitFor();
    await picture(viewer, `${colorScheme}-folders`);
  });

  test(`the login and the empty page, ${colorScheme}`, async ({ gateway, open }) => {
    const stranger = await open({ url: `${gateway.origin}/login`, colorScheme });
    await picture(stranger, `${colorScheme}-login`);
    const viewer = await open({ colorScheme });
    await viewer.sees(/^ready\$/);
    await viewer.press("Control+Shift+X");
    await viewer.seesPanes(0);
    await picture(viewer, `${colorScheme}-empty`);
  });
}

test.describe("with a drawing context", () => {
  test.override({ drawn: true });

  test("terminals are drawn on a canvas", async ({ open }) => {
    const viewer = await open();
    await viewer.seesPanes(1);
    await viewer.page.locator(".pane canvas").first().waitFor();
    await viewer.run("exit");
    await viewer.seesCard(/Disconnected/);
    await picture(viewer, "drawn");
  });
});
