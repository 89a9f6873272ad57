// Compiles what is asked of a list of runs to SQL: conditions come from a closed set and values are bound, so
// that there are as many texts as combinations of conditions, each prepared once.

import type { RunState } from "../../model/run.ts";
import type { RunQuery } from "../store.ts";
import type { SqlValue } from "./statement.ts";

/** Conditions of a list of runs, and the values of their parameters, in order. */
export interface RunConditions {
  readonly where: string;
  readonly values: readonly SqlValue[];
}

/** What a query asks for runs in one state, or in any; that they are of a time or later, the numbers say. */
export function compileRunConditions(
  query: Omit<RunQuery, "sinceMs">,
  state: RunState | undefined,
): RunConditions {
  const conditions: string[] = [];
  const values: SqlValue[] = [];
  const ask = (condition: string, ...bound: readonly SqlValue[]): void => {
    conditions.push(condition);
    values.push(...bound);
  };
  // A plus keeps SQLite from an index: the rarest condition has to be the one that it searches by. Words of states
  // are written out, else no partial index is known to hold them.
  const isRare = query.inputVersion !== undefined || query.parent !== undefined;
  const isOpen = state !== undefined && state !== "succeeded";
  if (state !== undefined) ask(`${isRare ? "+" : ""}runs.state = '${state}'`);
  if (query.pipeline !== undefined)
    ask(`${isRare || isOpen ? "+" : ""}runs.pipeline = ?`, query.pipeline);
  if (query.parent !== undefined) ask("runs.parent = ?", query.parent);
  if (query.beforeNumber !== undefined) ask("runs.number < ?", query.beforeNumber);
  if (query.afterNumber !== undefined) ask("runs.number > ?", query.afterNumber);
  if (query.inputVersion !== undefined) {
    // The first half names the index, letter by letter as it was made.
    ask("runs.foreground = 1");
    ask(
      "substr(runs.input_version, 1, 12) = substr(?, 1, 12) AND runs.input_version = ?",
      query.inputVersion,
      query.inputVersion,
    );
  }
  if (query.tag !== undefined) {
    // As it stands in the text of its tags, which is found at once where it is not: only what has it is taken apart.
    const [key, value] = query.tag;
    ask("instr(runs.tags, ?) > 0", `${JSON.stringify(key)}:${JSON.stringify(value)}`);
    ask(
      "EXISTS (SELECT 1 FROM json_each(runs.tags) AS tag WHERE tag.key = ? AND tag.value = ?)",
      ...query.tag,
    );
  }
  return { where: conditions.length === 0 ? "TRUE" : conditions.join(" AND "), values };
}
