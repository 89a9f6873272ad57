// Runs one stage alone, for unit tests of authors: its function with the needs the test gives, no graph, no
// store. And a context for functions that are called directly.

import type { Context } from "../model/context.ts";
import { findSpec } from "../model/stage/stage.ts";
import type { OutputOf, StageValue } from "../model/stage/need.ts";
import { MillraceError } from "../model/errors.ts";

/** A context whose parts do nothing unless `overrides` says otherwise. */
export function testContext(overrides: Partial<Context> = {}): Context {
  const state = new Map<string, unknown>();
  const nothing = (): void => {};
  const context: Context = {
    signal: new AbortController().signal,
    runId: "00000000-0000-7000-8000-000000000000",
    stage: "stage",
    item: undefined,
    attempt: 1,
    idempotencyKey: "0".repeat(32),
    scheduledFor: undefined,
    intervalStart: undefined,
    intervalEnd: undefined,
    now: () => 0,
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    progress: nothing,
    emit: nothing,
    metric: { set: nothing, increment: nothing },
    state: {
      get: (key: string, fallback?: unknown): never => {
        const found = state.get(key);
        // The caller says which type was put there.
        return (found === undefined ? fallback : found) as never;
      },
      set: (key, value) => void state.set(key, value),
    },
    memo: async (_name, make) => await make(),
    artifact: (name, data) =>
      Promise.resolve({ artifact: "0".repeat(64), name, bytes: data.length }),
    dir: ".",
    use: async (_resource, block) => await block(),
    sleep: () => Promise.resolve(),
  };
  // Fields are taken over as they are, getters included.
  return Object.defineProperties(context, Object.getOwnPropertyDescriptors(overrides));
}

/** What the stage's function gives for these needs. A map stage gets one item as `item`. */
export async function runStage<S extends StageValue>(
  stage: S,
  needs: Readonly<Record<string, unknown>>,
  options: { readonly context?: Partial<Context>; readonly item?: unknown } = {},
): Promise<OutputOf<S>> {
  const spec = findSpec(stage);
  const run: unknown = spec?.run;
  if (spec === undefined || typeof run !== "function") {
    throw new MillraceError(
      "OPTION_INVALID",
      `runStage needs a stage or map with a function, got "${stage.name}".`,
    );
  }
  const context = testContext({ stage: stage.name, ...options.context });
  const given: unknown =
    spec.kind === "map" ? run(options.item, needs, context) : run(needs, context);
  // The stage's own type says what its function gives.
  return (await given) as OutputOf<S>;
}
