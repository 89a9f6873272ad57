// All routes by their paths. A path finds at most one place: what is written out goes before what has a name in
// braces, and two routes that could both answer one request are a fault of ours that is found when the table is made.

import { assert } from "../std/error/assert.ts";
import type { Route } from "./route.ts";

/** The routes of one path by method, and what the path says. */
export interface RoutePlace {
  readonly routes: ReadonlyMap<string, Route>;
  readonly params: Readonly<Record<string, string>>;
}

/** Finds routes by the decoded pieces of a path. */
export interface RouteTable {
  find(segments: readonly string[]): RoutePlace | undefined;
}

interface Branch {
  readonly literals: Map<string, Branch>;
  /** What a name in braces stands for, with the names its routes give it. */
  any: Branch | undefined;
  readonly routes: Map<string, Route>;
  /** Names in braces on the way here, as its first route writes them. */
  names: readonly string[];
}

/** Makes the table. Two routes with the same method and the same path are an invariant breach. */
export function makeRouteTable(routes: readonly Route[]): RouteTable {
  const root = makeBranch();
  for (const route of routes) insert(root, route);
  return { find: (segments) => find(root, segments) };
}

/** The pieces of a route's path: `["api", "v1", "runs", "{run}"]`. */
export function piecesOf(path: string): readonly string[] {
  return path.split("/").filter((piece) => piece !== "");
}

/** The name in braces; undefined for a piece that is written out. */
export function nameIn(piece: string): string | undefined {
  return piece.startsWith("{") && piece.endsWith("}") ? piece.slice(1, -1) : undefined;
}

function makeBranch(): Branch {
  return { literals: new Map(), any: undefined, routes: new Map(), names: [] };
}

function insert(root: Branch, route: Route): void {
  let branch = root;
  const names: string[] = [];
  for (const piece of piecesOf(route.path)) {
    const name = nameIn(piece);
    if (name === undefined) {
      const next = branch.literals.get(piece) ?? makeBranch();
      branch.literals.set(piece, next);
      branch = next;
    } else {
      names.push(name);
      branch.any ??= makeBranch();
      branch = branch.any;
    }
  }
  const isNew = !branch.routes.has(route.method);
  assert(isNew, `Two routes answer ${route.method} ${route.path}.`);
  if (branch.routes.size === 0) branch.names = names;
  branch.routes.set(route.method, route);
}

function find(root: Branch, segments: readonly string[]): RoutePlace | undefined {
  const values: string[] = [];
  const branch = descend(root, { segments, values });
  if (branch === undefined) return undefined;
  const params: Record<string, string> = {};
  for (const [index, name] of branch.names.entries()) params[name] = values[index] ?? "";
  return { routes: branch.routes, params };
}

/** What is looked for, and what names in braces stand for as far as it was found. */
interface Way {
  readonly segments: readonly string[];
  readonly values: string[];
}

/** Depth is the number of segments: the address is bounded, and so is this. */
function descend(branch: Branch, way: Way, at = 0): Branch | undefined {
  const piece = way.segments[at];
  if (piece === undefined) return branch.routes.size > 0 ? branch : undefined;
  const literal = branch.literals.get(piece);
  const found = literal === undefined ? undefined : descend(literal, way, at + 1);
  if (found !== undefined || branch.any === undefined) return found;
  way.values.push(piece);
  const other = descend(branch.any, way, at + 1);
  if (other === undefined) way.values.pop();
  return other;
}
