// What a stage is made from, as hashes: equal hashes mean that its function would be given the same. Where a
// value has no hash (nothing of it is stored) nothing can be said, and the cache stays out of it.

import type { NeedShape, StageDefinition } from "../../model/definition.ts";
import { sha256Hex } from "../../std/json.ts";
import type { RunCore } from "../run-core.ts";
import type { StageRun } from "../stage-run.ts";

/** Data version of each need by its name; null: one of them has none. Provided values do not count. */
export function listDataVersions(
  core: RunCore,
  stage: StageDefinition,
): Readonly<Record<string, string>> | null {
  const versions: Record<string, string> = {};
  const settled = stage.trigger !== "all_success";
  const visit = (name: string, shape: NeedShape): boolean => {
    switch (shape.kind) {
      case "provided":
        return true;
      case "input":
        versions[name] = `=${core.inputVersion ?? ""}`;
        return true;
      case "list":
        return shape.parts.every((part, index) => visit(`${name}[${index}]`, part));
      case "stage": {
        const stageRun = core.stageAt(shape.stage);
        const version = versionOf(stageRun);
        if (version === null) return false;
        const isSoft = settled || (stageRun.definition.soft && !shape.required);
        // The same value arrives as itself or as `Settled`.
        versions[name] = isSoft ? `settled ${version}` : version;
        return true;
      }
    }
  };
  if (!stage.needs.every((need) => visit(need.name, need.shape))) return null;
  if (stage.arrival === "input") versions["input"] = `=${core.inputVersion ?? ""}`;
  return versions;
}

function versionOf(stageRun: StageRun): string | null {
  const ending = stageRun.toEnding();
  switch (ending.state) {
    case "succeeded":
      return stageRun.outputVersion === null ? null : `=${stageRun.outputVersion}`;
    case "skipped":
      return `skipped ${ending.reason}`;
    case "cancelled":
      return "cancelled";
    case "failed":
    case "upstream_failed":
      // Readers are given the whole failure.
      return `${ending.state} ${sha256Hex(JSON.stringify(ending.failure)).slice(0, 32)}`;
  }
}
