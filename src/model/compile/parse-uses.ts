// The uses of a stage: what was written, or what its function gave, as a list in the one order in which permits are
// asked for. The same check at definition and at run time, in the same words.

import { RESOURCE_USES_MAX } from "../limits.ts";
import type { ResourceUse } from "../resource/resource.ts";
import { describeValue } from "./option-reader.ts";
import { isResourceName, nameResource } from "./resource-name.ts";

/** Reads uses in their order; each fault is a sentence. Meaningful only without faults. */
export function parseUseList(
  list: readonly unknown[],
  fault: (message: string) => void,
): readonly ResourceUse[] {
  if (list.length > RESOURCE_USES_MAX) {
    fault(`expected at most ${RESOURCE_USES_MAX} resources; got ${list.length}`);
    return [];
  }
  const uses: ResourceUse[] = [];
  for (const entry of list) {
    const use = isResourceName(entry) ? namedResource(entry) : entry;
    if (!isResourceUse(use)) fault(`expected resources; got ${describeValue(entry)}`);
    else if (use.key === null && use.declaration?.terms.keyed === true)
      fault(`resource "${use.resource}" has keys: use ${use.resource}.for(...)`);
    else uses.push(use);
  }
  uses.sort(byAddress);
  for (let index = 1; index < uses.length; index += 1) {
    const [one, next] = [uses[index - 1], uses[index]];
    if (one !== undefined && next !== undefined && byAddress(one, next) === 0)
      fault(`resource "${nameResource(next)}" is named twice; an attempt holds one permit of it`);
  }
  return uses;
}

/** A resource that is named here and declared in the configuration. */
function namedResource(name: string): ResourceUse {
  return Object.freeze({
    kind: "resource-use" as const,
    resource: name,
    key: null,
    declaration: null,
    costs: null,
    maxWaitMs: null,
  });
}

/** One fixed order for all: nobody can hold what the next one waits for. */
function byAddress(left: ResourceUse, right: ResourceUse): number {
  if (left.resource !== right.resource) return left.resource < right.resource ? -1 : 1;
  const [one, other] = [left.key ?? "", right.key ?? ""];
  return one === other ? 0 : one < other ? -1 : 1;
}

function isResourceUse(value: unknown): value is ResourceUse {
  return (
    typeof value === "object" && value !== null && "kind" in value && value.kind === "resource-use"
  );
}
