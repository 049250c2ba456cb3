// A stand-in for the gateway, for work on the page: `npm run dev` serves it at /mux with make-believe shells.

import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Plugin } from "vite";
import { WebSocketServer } from "ws";
import { MockGateway } from "./mockgateway.ts";

/** The policy that the real gateway sends with the page. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
  "font-src 'self'; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

interface UpgradeServer {
  on(event: "upgrade", listener: (request: IncomingMessage, socket: Duplex, head: Buffer) => void): unknown;
}

/** Adds the stand-in to Vite's servers. */
export function mockGateway(): Plugin {
  const attach = (server: UpgradeServer | null): void => {
    const gateway = new MockGateway();
    const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => "everpane.v1" });
    server?.on("upgrade", (request, socket, head) => {
      if (request.url !== "/mux") return;
      sockets.handleUpgrade(request, socket, head, (connection) => gateway.attach(connection));
    });
  };
  return {
    name: "mock-gateway",
    configureServer: (server) => attach(server.httpServer),
    configurePreviewServer: (server) => {
      server.middlewares.use((_request, response, next) => {
        response.setHeader("Content-Security-Policy", POLICY);
        next();
      });
      attach(server.httpServer);
    },
  };
}
