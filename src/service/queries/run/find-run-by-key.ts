// The run that has a key of its pipeline.

import { MillraceError } from "../../../model/errors.ts";
import type { RunRecord } from "../../../model/run.ts";
import type { Store } from "../../../storage/store.ts";

/** Undefined: the pipeline knows no such key. OPTION_INVALID without a pipeline, since keys are unique in theirs. */
export async function findRunByKey(
  store: Pick<Store, "findRunByKey">,
  { pipeline, key }: { readonly pipeline: string | undefined; readonly key: string },
): Promise<RunRecord | undefined> {
  if (pipeline !== undefined) return await store.findRunByKey(pipeline, key);
  throw new MillraceError("OPTION_INVALID", `The key "${key}" is searched in a pipeline.`, {
    hint: "name the pipeline too",
  });
}
