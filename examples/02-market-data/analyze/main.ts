// The analyzer, a program of its own: a translated file in, rows of JSON out. It ends when its stdin does, so that none
// is left behind when whoever started it is gone.
//   node main.ts '{"instrument":"ES","day":"2019-11-01","path":"..."}'
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import process from "node:process";
import * as z from "zod";
import { analyzeDay } from "./analyze-day.ts";

const REQUEST = z.strictObject({
  instrument: z.string(),
  day: z.string(),
  /** Of the translated file. */
  path: z.string(),
  /** A file of faults to order, and where this is. */
  faults: z.string().optional(),
  place: z.object({
    stage: z.string(),
    item: z.object({ key: z.string() }),
    attempt: z.number(),
    dir: z.string(),
  }),
});

/** What the analyzer is asked. */
export type AnalyzerRequest = z.infer<typeof REQUEST>;

/** Meets what was ordered with a helper of its own at work: whoever ends the analyzer has to end both. */
async function meetFaults(path: string, place: AnalyzerRequest["place"]): Promise<void> {
  const { meetFault, parseFaults } = await import("../../fault/fault.ts");
  const helper = spawn(process.execPath, ["--eval", "setTimeout(() => {}, 3_600_000)"]);
  const { signal } = new AbortController();
  await meetFault(parseFaults(await readFile(path, "utf8")), { ...place, signal });
  helper.kill();
  await once(helper, "exit");
}

process.stdin.once("end", () => process.exit(1)).resume();
const { faults, path, place, ...day } = REQUEST.parse(JSON.parse(process.argv[2] ?? ""));
if (faults !== undefined) await meetFaults(faults, place);
process.stdout.write(`${JSON.stringify(analyzeDay(day, await readFile(path, "utf8")))}\n`);
process.stdin.destroy();
