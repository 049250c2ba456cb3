import { defineConfig } from "vitest/config";
import { mockGateway } from "./test/mock.ts";

export default defineConfig({
  // Relative, so that a gateway that is mounted below a path of another server works too.
  base: "./",
  build: {
    target: "es2022",
    // xterm.js alone is 346 kB; there is nothing to load later.
    chunkSizeWarningLimit: 1000,
    // The licences of what is bundled ask to be passed on.
    license: { fileName: "licenses.md" },
    modulePreload: { polyfill: false },
    // Everything is a file of its own: the page's policy allows no inline code.
    assetsInlineLimit: 0,
  },
  plugins: [mockGateway()],
  test: { include: ["test/**/*.test.ts"] },
});
