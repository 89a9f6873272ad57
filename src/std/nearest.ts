// "Did you mean ...?": the known name that a misspelt one most likely stands for, or none. A wrong
// suggestion costs more than none, so the distance allowed is small.

/**
 * The candidate closest to `name`: the same but for case, else the same but for spelling style
 * (`max_delay`, `max-delay`, `maxDelay`), else with the fewest letters typed wrong, left out, added or
 * swapped, at most one in three and never over three. The first of equals; undefined when none is near.
 */
export function findNearest(name: string, candidates: Iterable<string>): string | undefined {
  const known = [...candidates];
  const lower = name.toLowerCase();
  const squeezed = squeeze(name);
  return (
    known.find((candidate) => candidate.toLowerCase() === lower) ??
    known.find((candidate) => squeezed !== "" && squeeze(candidate) === squeezed) ??
    findClosest(lower, known)
  );
}

// Nobody misspells a name this long by hand, and the comparison costs length times length.
const NAME_CHARS_MAX = 256;

/** Case and separators removed: what camelCase, snake_case and kebab-case have in common. */
function squeeze(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.\s]/g, "");
}

function findClosest(lower: string, known: readonly string[]): string | undefined {
  if (lower.length > NAME_CHARS_MAX) return undefined;
  let closest: string | undefined;
  let closestDistance = Infinity;
  for (const candidate of known) {
    const longer = Math.max(lower.length, candidate.length);
    const distanceMax = Math.min(3, Math.max(1, Math.floor(longer / 3)), longer - 1);
    if (Math.abs(lower.length - candidate.length) > distanceMax) continue;
    const distance = editDistance(lower, candidate.toLowerCase());
    if (distance <= distanceMax && distance < closestDistance) {
      closest = candidate;
      closestDistance = distance;
    }
  }
  return closest;
}

/** Damerau-Levenshtein, in the form where no letter is edited twice. Three rows are enough. */
function editDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const isSame = left[row - 1] === right[column - 1];
      const replaced = at(last, column - 1) + (isSame ? 0 : 1);
      let best = Math.min(replaced, at(last, column) + 1, at(current, column - 1) + 1);
      const isSwapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (isSwapped && row > 1 && column > 1) best = Math.min(best, at(beforeLast, column - 2) + 1);
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, right.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
