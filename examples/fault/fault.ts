// Faults on order, to see what a pipeline does about them: a file names stage, item and attempt to fail,
// hang or kill. Each fault strikes once per run, so that a resumed run gets past it. All examples share this file:
// who copies an example takes it along, or leaves it out with the few lines that call `meetFault`.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";

const FAULTS = z.array(
  z.strictObject({
    stage: z.string(),
    item: z.string().optional(),
    attempt: z.int().min(1).default(1),
    do: z.enum(["fail", "hang", "kill"]),
  }),
);

/** What is going to go wrong. */
export type Faults = z.infer<typeof FAULTS>;

/** Reads the text of a fault file. Throws when it is no list of faults. */
export function parseFaults(text: string): Faults {
  return FAULTS.parse(JSON.parse(text));
}

/** The place where a fault may strike; a stage's context is one. */
export interface FaultPlace {
  readonly stage: string;
  readonly item: { readonly key: string } | undefined;
  readonly attempt: number;
  readonly dir: string;
  readonly signal: AbortSignal;
}

/** Does what was ordered for this place, if anything. */
export async function meetFault(faults: Faults, place: FaultPlace): Promise<void> {
  const index = faults.findIndex(
    (fault) =>
      fault.stage === place.stage &&
      fault.item === place.item?.key &&
      fault.attempt === place.attempt,
  );
  const fault = faults[index];
  if (fault === undefined || !(await isFirst(join(place.dir, `fault-${index}`)))) return;
  switch (fault.do) {
    case "fail":
      throw new Error(`fault ${index + 1} of the fault file: fail`);
    case "hang":
      // Long enough for any timeout; ends at once when the attempt is aborted.
      await sleep(3_600_000, undefined, { signal: place.signal });
      return;
    case "kill":
      process.kill(process.pid, "SIGKILL");
  }
}

/** True for the first caller: the mark is a file in the folder of the run, and outlives the process. */
async function isFirst(mark: string): Promise<boolean> {
  try {
    await writeFile(mark, "", { flag: "wx" });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}
