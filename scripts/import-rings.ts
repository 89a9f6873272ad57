// Finds rings of files that import each other, types included: a ring means that no file of it can be
// read, tested or moved alone. Each ring is told once, by its shortest way round.

import { targetOf } from "./layer-rules.ts";
import type { SourceFile } from "./layer-rules.ts";
import type { Finding } from "./repository.ts";

/** One finding for each file whose first way back to itself is the shortest of its ring. */
export function findRings(files: readonly SourceFile[]): Finding[] {
  const edges = new Map(files.map((file) => [file.path, edgesOf(file)]));
  const told = new Set<string>();
  return files.flatMap((file) => {
    if (told.has(file.path)) return [];
    const ring = shortestRing(edges, file.path);
    if (ring === undefined) return [];
    for (const member of ring) told.add(member);
    const message = `These files import each other: ${[...ring, file.path].join(" -> ")}. Give what both need its own file.`;
    return [{ file: file.path, rule: "no-ring", message }];
  });
}

function edgesOf(file: SourceFile): string[] {
  return file.imports
    .filter((mention) => mention.kind !== "worker")
    .map((mention) => targetOf(file, mention))
    .filter((target) => target !== undefined);
}

/** Breadth first from a file until it is met again; undefined when it never is. */
function shortestRing(
  edges: ReadonlyMap<string, readonly string[]>,
  start: string,
): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const path of queue) {
    for (const next of edges.get(path) ?? []) {
      if (next === start) return wayTo(cameFrom, path, start);
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, path);
      queue.push(next);
    }
  }
  return undefined;
}

function wayTo(cameFrom: ReadonlyMap<string, string>, last: string, start: string): string[] {
  const way = [last];
  let at = last;
  while (at !== start) {
    at = cameFrom.get(at) ?? start;
    way.unshift(at);
  }
  return way;
}
