// Which modules share a file of the bundle. What a start needs is found by walking its imports, and no chunk of a start
// holds anything else: what nobody imported costs bytes, and often modules of Node. What is loaded later is put
// together by what it is for. Groups take modules in this order, each with what they import.

import { resolve } from "node:path";
import type { ChunkingContext, CodeSplittingGroup } from "rolldown";

const COMMAND_BEGINS = "src/cli/main.ts";
const RUN_BEGINS = "src/cli/commands/run.ts";
const DOOR = "src/exports/index.ts";
const STORE = "src/storage/sqlite/open.ts";

/** Folders of `service` that no start needs. */
const SERVED: string =
  "(?:access|failures|feed[\\\\/]topics|health|history|listeners|operations|report|rollups|schedules|settings|watchdog)[\\\\/]";

const BASE = /[\\/]src[\\/](?:std|model|policy)[\\/]/;
const COMMAND = /[\\/]src[\\/](?:cli|config)[\\/]/;
const RESILIENCE = /[\\/]src[\\/]engine[\\/]resilience[\\/]/;
/** A begun module stays apart from its chunk, which waits for itself otherwise, and keeps its exports. */
const ENTRY = /[\\/]src[\\/](?:exports[\\/]|cli[\\/]main\.ts)/;

/** The groups of one bundle, in order. */
export function makeGroups(): CodeSplittingGroup[] {
  const reached = new Map<string, ReadonlySet<string>>();
  const atStart = (
    name: string,
    where: RegExp,
    beginnings: readonly string[],
  ): CodeSplittingGroup => ({
    debugName: name,
    test: (id) => where.test(id) && !ENTRY.test(id),
    name(id, graph) {
      const isReached = beginnings.some((beginning) => {
        const modules = reached.get(beginning) ?? reach(beginning, graph);
        reached.set(beginning, modules);
        return modules.has(id);
      });
      return isReached ? name : null;
    },
  });
  return [
    atStart("base", BASE, [COMMAND_BEGINS, RUN_BEGINS, DOOR, STORE]),
    // A door of its own that loads no engine.
    { name: "resilience", test: RESILIENCE },
    atStart("command", COMMAND, [COMMAND_BEGINS]),
    atStart("engine", /[\\/]src[\\/](?:engine|service|storage)[\\/]/, [RUN_BEGINS, DOOR]),
    atStart("run", COMMAND, [RUN_BEGINS]),
    atStart("sqlite", /[\\/]src[\\/]storage[\\/]sqlite[\\/]/, [STORE]),
    { name: "verbs", test: new RegExp(`[\\\\/]src[\\\\/]service[\\\\/](?!${SERVED})`) },
    // What only a service, or a verb that asks one, needs: with the packages that read times and count.
    {
      name: "service",
      test: new RegExp(
        `[\\\\/]src[\\\\/](?:policy[\\\\/](?:rollup|schedule)[\\\\/]|service[\\\\/]${SERVED})`,
      ),
    },
    // Commands and threads bring a package each, and share what is said to processes and threads.
    { name: "apart", test: /[\\/]src[\\/]engine[\\/]executors[\\/](?:command|isolated)[\\/]/ },
    { name: "threads", test: /[\\/]src[\\/]engine[\\/]executors[\\/]thread/ },
    { name: "executors", test: /[\\/]src[\\/]engine[\\/]executors[\\/]/ },
  ];
}

/** All that is loaded when this source is, without asking. */
function reach(beginning: string, graph: ChunkingContext): ReadonlySet<string> {
  const first = resolve(beginning);
  if (graph.getModuleInfo(first) === null) {
    throw new Error(`No module of the bundle is "${beginning}", where a start is said to begin.`);
  }
  const seen = new Set([first]);
  for (const id of seen) {
    for (const next of graph.getModuleInfo(id)?.importedIds ?? []) seen.add(next);
  }
  return seen;
}
