// Who this page is over all its connections.

/** How many random bytes a name is made of: 32 letters. */
const NAME_BYTES = 24;

/** A name that nobody else has or can guess. */
export function clientName(): string {
  const random = crypto.getRandomValues(new Uint8Array(NAME_BYTES));
  return btoa(String.fromCharCode(...random)).replaceAll("+", "-").replaceAll("/", "_");
}
