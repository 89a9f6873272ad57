// resource: declares an outside thing. Its numbers are checked at once; a use of it is bound to a key and to what it
// costs before anything waits, so that an impossible one fails at the line that made it.

import { definitionInvalid } from "../compile/compile.ts";
import { describeValue } from "../compile/option-reader.ts";
import { parseResource, readMaxWait } from "../compile/parse-resource.ts";
import { isResourceKey, isResourceName } from "../compile/resource-name.ts";
import type { DefinitionFault } from "../definition.ts";
import { MillraceError } from "../errors.ts";
import { NAME_CHARS_MAX, RESOURCE_KEY_BYTES_MAX } from "../limits.ts";
import type {
  DeclaredResource,
  QuotaOptions,
  ResourceDeclaration,
  ResourceOptions,
  ResourceUse,
  UseOptions,
} from "./resource.ts";

/** Declares a resource. DEFINITION_INVALID names every impossible number at once. */
export function declareResource<K = never>(
  name: string,
  options: ResourceOptions<K> = {},
): DeclaredResource<K> {
  const faults: DefinitionFault[] = [];
  if (!isResourceName(name)) {
    faults.push({
      path: "resources",
      message: `expected a name of 1 to ${NAME_CHARS_MAX} characters without "/"; got ${describeValue(name)}`,
    });
  }
  const declaration = parseResource({ name, values: { ...options }, faults, base: null });
  refuseKeysOfNone(declaration, faults);
  if (faults.length > 0)
    throw definitionInvalid(String(name), faults, `Resource "${String(name)}" is`);
  const quotas = [options.quota ?? []].flat();
  const bind = (key: string | null, costs: Costs, use: UseOptions): ResourceUse =>
    Object.freeze({
      kind: "resource-use" as const,
      resource: name,
      key,
      declaration,
      costs: readCosts(declaration, costs, use),
      maxWaitMs: readOwnWait(name, use),
    });
  return Object.freeze({
    ...bind(null, () => undefined, {}),
    options,
    declaration,
    for: (input: K, use: UseOptions = {}) =>
      bind(keyOf(declaration, options, input), (index) => costOf(quotas[index], input), use),
    with: (use: UseOptions) => bind(null, () => undefined, use),
  });
}

/** Settings of single keys would hold for nothing: nobody can name a key. */
function refuseKeysOfNone({ terms }: ResourceDeclaration, faults: DefinitionFault[]): void {
  if (terms.keyed) return;
  for (const [option, keys] of Object.entries({ limit: terms.limits, breaker: terms.breakers })) {
    const [first] = Object.keys(keys);
    if (first === undefined) continue;
    faults.push({
      path: `resources.${terms.name}.${option}.keys`,
      message: `expected no settings of keys, as the resource has none; got "${first}"`,
      hint: 'declare its "key"',
    });
  }
}

function keyOf<K>(
  { terms }: ResourceDeclaration,
  options: ResourceOptions<K>,
  input: K,
): string | null {
  if (!terms.keyed) {
    throw new MillraceError("USE_INVALID", `Resource "${terms.name}" has no keys.`, {
      hint: `use it as it is, or declare its "key"`,
    });
  }
  const key: unknown = options.key?.(input);
  if (isResourceKey(key)) return key;
  throw new MillraceError(
    "USE_INVALID",
    `The key of resource "${terms.name}" must be text of 1 to ${RESOURCE_KEY_BYTES_MAX} bytes without control characters; got ${describeValue(key)}.`,
    { hint: `mend "key" of the resource` },
  );
}

function costOf<K>(quota: QuotaOptions<K> | undefined, input: K): unknown {
  return quota?.cost?.(input);
}

type Costs = (index: number) => unknown;

/** Null where every quota costs 1. */
function readCosts(
  { terms }: ResourceDeclaration,
  costs: Costs,
  use: UseOptions,
): readonly number[] | null {
  const read = terms.quotas.map((quota, index) => {
    const cost: unknown = use.cost ?? costs(index) ?? 1;
    const fits =
      typeof cost === "number" && Number.isSafeInteger(cost) && cost >= 0 && cost <= quota.burst;
    if (fits) return cost;
    throw new MillraceError(
      "USE_INVALID",
      `A use of resource "${terms.name}" costs ${describeValue(cost)}: its quota of ${quota.rate} per ${quota.perMs} ms takes whole units from 0 to its burst of ${quota.burst}.`,
      { hint: `raise "burst", or divide the work` },
    );
  });
  return read.every((cost) => cost === 1) ? null : read;
}

function readOwnWait(name: string, { maxWait }: UseOptions): number | null {
  if (maxWait === undefined) return null;
  const read = readMaxWait(maxWait);
  if (typeof read === "number") return read;
  throw new MillraceError("OPTION_INVALID", `maxWait of a use of resource "${name}": ${read}.`);
}
