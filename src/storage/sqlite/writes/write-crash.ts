// Counts crashes of a run's stages and items.

import { countCrash } from "../../../policy/crashes.ts";
import { toCrashFacts } from "../../run-rules.ts";
import type { PutCrashWrite, ReclaimRunWrite } from "../../write.ts";
import type { Batch } from "../batch.ts";
import type { RunHead } from "../statements/runs.ts";

/** Counts a process that was lost, before anything else of its run changes. */
export function addCrash(
  { rows }: Batch,
  head: RunHead,
  write: ReclaimRunWrite | PutCrashWrite,
): void {
  const known = rows.crashes.list(head.number);
  rows.crashes.replace(head.number, countCrash(known, toCrashFacts(write, head)));
}
