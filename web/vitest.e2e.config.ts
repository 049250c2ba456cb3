import { defineConfig } from "vitest/config";

/** How long a test waits for something to come about, in milliseconds. */
const PATIENCE_MS = 20_000;

export default defineConfig({
  test: {
    include: ["e2e/**/*.test.ts"],
    // One browser at a time: what is measured is the product, not the machine.
    fileParallelism: false,
    testTimeout: 3 * PATIENCE_MS,
    hookTimeout: PATIENCE_MS,
    expect: { poll: { timeout: PATIENCE_MS, interval: 30 } },
    reporters: ["verbose"],
  },
});
