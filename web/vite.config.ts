import { defineConfig } from "vitest/config";

/** Where `npm run dev` finds a gateway; `everpane --no-auth` is one that lets the page in without a login. */
const GATEWAY = process.env["EVERPANE_URL"] ?? "http://127.0.0.1:7433";

/** The gateway lets in only pages that it served itself, so the origin is rewritten as well. */
const SOCKET = { target: GATEWAY, ws: true, changeOrigin: true, headers: { origin: GATEWAY } };

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
  server: {
    proxy: {
      "/mux": SOCKET,
      "/ws": SOCKET,
    },
  },
  test: { include: ["test/**/*.test.ts"] },
});
