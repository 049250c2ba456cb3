// Why a connection was closed, and whether the page comes back by itself; see docs/protocol.md, "Close codes".

import type { Farewell } from "../model/farewell.ts";

/** Why to stay away after a close with this code; `undefined`: the connection is to come back by itself. */
export function farewell(code: number): Farewell | undefined {
  switch (code) {
    case 1008:
    case 1009:
      return "misunderstood";
    case 4403:
      return "dismissed";
    case 4409:
      return "superseded";
    default:
      return undefined;
  }
}

/** Why a connection that comes back by itself is down: a line for whoever waits for it. */
export function closeReason(code: number): string {
  switch (code) {
    case 1001:
      return "Gateway is restarting";
    case 1013:
      return "Gateway has too many viewers";
    case 4008:
      return "This page fell too far behind";
    default:
      return "Connection lost";
  }
}
