// For queues: notes who works when, fails for some inputs, and waits for the file "open" where it is told to.

import { appendFileSync, existsSync } from "node:fs";
import { input, pipeline, stage } from "millrace";

const page = input<{ readonly n: number; readonly waits?: boolean }>();
const note = (word: string, n: number): void => appendFileSync("effects", `${word} ${n}\n`);

const fetched = stage("fetch", { needs: { page } }, async ({ page: { n, waits } }, ctx) => {
  note("begin", n);
  appendFileSync("at-open", "");
  while (waits === true && !existsSync("open")) await ctx.sleep(5);
  await ctx.sleep(10);
  note("end", n);
  if (n < 0) throw new Error(`there is no page ${n}`);
  return n;
});
const doubled = stage("double", { needs: { fetched } }, (needs) => 2 * needs.fetched);

export const pages = pipeline("pages", { input: page, output: { doubled } });
