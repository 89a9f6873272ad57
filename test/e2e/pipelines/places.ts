// Pipelines of which one run may be running at once: a second start is refused, or waits.

import { existsSync, writeFileSync } from "node:fs";
import { pipeline, stage } from "millrace";

const hold = stage("hold", {}, async (_needs, ctx) => {
  writeFileSync("at-open", "");
  while (!existsSync("open")) await ctx.sleep("20ms");
  return "done";
});

/** Refuses a second start. */
export const single = pipeline("single", { output: { hold }, maxActiveRuns: 1 });

/** Lets a second start wait. */
export const patient = pipeline("patient", { output: { hold }, maxActiveRuns: 1, onBusy: "queue" });
