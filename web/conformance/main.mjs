// Runs `comparison.ts`, which node alone can't read: what is needed for that is in vite, which builds the page.

import { runnerImport } from "vite";

const { module } = await runnerImport(new URL("comparison.ts", import.meta.url).pathname, { configFile: false });
module.serve(process.stdin, process.stdout);
