// A pipeline that takes two runs into its queue: waits for the file "open".

import { appendFileSync, existsSync } from "node:fs";
import { input, pipeline, stage } from "millrace";

const page = input<{ readonly n: number }>();

const held = stage("held", { needs: { page } }, async ({ page: { n } }, ctx) => {
  appendFileSync("effects", `begin ${n}\n`);
  appendFileSync("at-open", "");
  while (!existsSync("open")) await ctx.sleep(5);
  return n;
});

export const few = pipeline("few", { input: page, output: { held }, maxQueued: 2 });
