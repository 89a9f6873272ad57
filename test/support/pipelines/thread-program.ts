// A program that runs its pipeline wherever it is imported, which a thread must not do.

import { pipeline, stage } from "../../../src/exports/index.ts";

const alone = stage("alone", { runIn: "thread", retry: { attempts: 3, initialDelay: 1 } }, () => 1);
export const program = pipeline("program", { module: import.meta.url, output: { alone } });

const result = await program.run(undefined);

/** How it ended. */
export const PROGRAM = { state: result.state, error: result.stages["alone"]?.error };
