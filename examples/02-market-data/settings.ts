// What an installation decides, read from the environment once.
import { join } from "node:path";
import process from "node:process";
import * as z from "zod";

const DURATION = z.templateLiteral([z.number().positive(), z.enum(["ms", "s", "m", "h"])]);

const ENVIRONMENT = z.object({
  /** Folder for the results of a run whose input names none; its files of bars lie in `bars`. */
  MARKET_DATA_OUT: z
    .string()
    .min(1)
    .default(join(import.meta.dirname, "out")),
  /** Longest time of one attempt to analyze a day. A day of the bundled ones takes a quarter of a second. */
  MARKET_DATA_ANALYZE_TIMEOUT: DURATION.default("30s"),
});

/** Throws when a setting is not what it should be. */
export const settings: z.infer<typeof ENVIRONMENT> = ENVIRONMENT.parse(process.env);
