// The palette's search.

/** Whether the letters of `query` occur in `text` in their order, and how well: smaller is better. */
export function fuzzyScore(query: string, text: string): number | undefined {
  const wanted = query.toLowerCase().replaceAll(" ", "");
  const letters = text.toLowerCase();
  let at = -1;
  let score = 0;
  for (const letter of wanted) {
    const found = letters.indexOf(letter, at + 1);
    if (found < 0) return undefined;
    const startsWord = found === 0 || letters[found - 1] === " ";
    score += found === at + 1 || startsWord ? 0 : found - at;
    at = found;
  }
  return score;
}

/** The items that fit a query, best first; equals keep their order. */
export function fuzzyFilter<T>(query: string, items: readonly T[], text: (item: T) => string): T[] {
  return items
    .map((item) => ({ item, score: fuzzyScore(query, text(item)) }))
    .filter((entry): entry is { item: T; score: number } => entry.score !== undefined)
    .sort((a, b) => a.score - b.score)
    .map(({ item }) => item);
}
