// Starts a pipeline whose types do not matter, and waits for its end: what tests of the cache do again and again.

import type { Millrace } from "../../src/service/millrace.ts";
import type { RunResult } from "../../src/service/run-result.ts";
import type { SomePipeline } from "./durable/durable-world.ts";

/** How a run is started, with its input. */
export type Given = Parameters<Millrace["start"]>[2] & { readonly input?: unknown };

/** Starts a run here and waits for it. */
export async function run(
  mill: Millrace,
  made: SomePipeline,
  given: Given = {},
): Promise<RunResult> {
  const { input: value, ...options } = given;
  const handle = await mill.start(made, value as never, options);
  // The outputs of a pipeline of any type are a record.
  return (await handle.result()) as RunResult;
}
