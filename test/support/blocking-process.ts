// A real process that works a queue whose stage blocks the main loop, or waits without blocking it, for a while.
// Whoever works on the run after it returns at once.
//
//   node blocking-process.ts '{"store": ..., "mark": ..., "holdMs": ..., "way": "block", "lease": {...}}'

import { existsSync, writeFileSync } from "node:fs";
import { openMillrace, pipeline, stage } from "../../src/exports/index.ts";
import type { OpenOptions, Pipeline } from "../../src/exports/index.ts";

/** What the process is told. */
export interface Holding {
  readonly store: string;
  /** Written by whoever works on the run first. */
  readonly mark: string;
  readonly holdMs: number;
  readonly way: "block" | "wait";
  readonly lease: NonNullable<OpenOptions["lease"]>;
}

/** A pipeline whose only stage says which process worked on it; the first one holds it for long. */
export function makeHolding(
  holding: Pick<Holding, "mark" | "holdMs" | "way">,
): Pipeline<undefined, { readonly hold: number }> {
  const hold = stage("hold", {}, async (_needs, ctx) => {
    if (existsSync(holding.mark)) return process.pid;
    writeFileSync(holding.mark, String(process.pid));
    if (holding.way === "wait") await ctx.sleep(holding.holdMs);
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, holding.holdMs);
    return process.pid;
  });
  return pipeline("holding", { output: { hold } });
}

if (import.meta.main) {
  const holding = JSON.parse(process.argv[2] ?? "") as Holding;
  const mill = await openMillrace({
    store: holding.store,
    pipelines: [makeHolding(holding)],
    lease: holding.lease,
  });
  const summary = await mill.work({ maxRuns: 1 });
  await mill.close();
  process.stdout.write(`${JSON.stringify({ counts: summary.counts, left: listLeft() })}\n`);
}

/** What would keep the process alive, but for its own pipes. */
function listLeft(): readonly string[] {
  return process.getActiveResourcesInfo().filter((name) => !name.startsWith("Pipe"));
}
