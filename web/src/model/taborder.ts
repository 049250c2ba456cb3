// Where a dragged tab lands.

/**
 * The index that `moved` gets when it is dropped on the tab `target`, left of its middle or right of it.
 * Counted, as the gateway does, without the moved tab; `undefined` if it would stay where it is.
 */
export function dropIndex(order: readonly string[], moved: string, target: string, after: boolean): number | undefined {
  const others = order.filter((id) => id !== moved);
  const at = others.indexOf(target);
  if (at < 0) return undefined;
  const index = after ? at + 1 : at;
  return index === order.indexOf(moved) ? undefined : index;
}
