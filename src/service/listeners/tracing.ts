// The way to traces for runs of this process. Where a program has set up OpenTelemetry before it opens a mill, every run
// is followed; where it has not, a run costs one look at a global, and the package is never loaded.

import type { Tracing } from "./trace-port.ts";

/** Where the API of OpenTelemetry, from its version 1 on, keeps what a program has set up. */
const GLOBAL = Symbol.for("opentelemetry.js.api.1");

// State of the module, as what it stands for is of the process.
let loaded: Tracing | null = null;

/** Loads what traces need, if anybody traces. Called when a mill is opened. */
export async function prepareTracing(): Promise<void> {
  if (loaded !== null || !isSetUp()) return;
  const { makeTracing } = await import("./traces.ts");
  loaded = makeTracing();
}

/** Who follows runs; null: nobody. */
export function findTracing(): Tracing | null {
  return loaded !== null && isSetUp() ? loaded : null;
}

function isSetUp(): boolean {
  const known: unknown = Reflect.get(globalThis, GLOBAL);
  return typeof known === "object" && known !== null && "trace" in known;
}
