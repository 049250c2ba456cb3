// Why the gateway closed the connection, in words.

/** A line for the status pill. */
export function closeReason(code: number): string {
  switch (code) {
    case 1001:
      return "Gateway is restarting";
    case 1008:
      return "Gateway refused this page's messages";
    case 1009:
      return "A message was too large";
    case 1013:
      return "Gateway has too many viewers";
    case 4409:
      return "This page connected again";
    case 4008:
      return "This page fell too far behind";
    default:
      return "Connection lost";
  }
}
