// What people do to a resource while it is in use: other numbers for all processes at once, an open breaker, and back
// to what is declared. Each is an event with who did it and why, and asking for it again changes nothing more.

import { parseResource } from "../../model/compile/parse-resource.ts";
import {
  checkResourceSettings,
  toResourceValues,
  type ResourceSettings,
} from "../../model/compile/resource-settings.ts";
import { TRIP_MS_DEFAULT } from "../../model/defaults.ts";
import type { DefinitionFault } from "../../model/definition.ts";
import { MillraceError } from "../../model/errors.ts";
import { DURATION_MS_MAX, PAGE_ROWS_MAX, REASON_CHARS_MAX } from "../../model/limits.ts";
import type { QuotaDeclared, QuotaOptions, ResourceTerms } from "../../model/resource/resource.ts";
import { findResourceOverride } from "../../policy/admission.ts";
import { parseDuration, type Duration } from "../../std/duration.ts";
import type { ResourceAddress, ResourceOrder } from "../../storage/permits/permit-write.ts";
import type { MillContext } from "../mill-context.ts";
import { checkResourceKey, getResourceTerms } from "./known-resources.ts";
import { isResourceMoved, viewOne } from "./list-resources.ts";
import type { ResourceView } from "../views/resource-view.ts";
import { whileOpen } from "../commands/begin-run.ts";

/** Which key, who, and why. */
export interface ResourceOrderOptions {
  /** One key; its own numbers hold before those of the whole resource. Default: the whole of it. */
  readonly key?: string;
  /** Told with the event, 1 to 500 characters. Default "by hand". */
  readonly reason?: string;
  /** Who does it. Default "program". */
  readonly actor?: string;
}

/** What is set. What an earlier call set for the same key and this one does not name stays. */
export interface SetResourceOptions extends ResourceOrderOptions {
  /** Holders at once, 1 to 10,000. Lowering it takes nothing from holders. */
  readonly limit?: number;
  /** One or up to 8 quotas, instead of those that are declared. */
  readonly quota?: Omit<QuotaOptions, "cost"> | readonly Omit<QuotaOptions, "cost">[];
  /** How long all that is set for the key holds. Default: until it is reset. */
  readonly for?: Duration;
}

/** How long it is open. */
export interface TripResourceOptions extends ResourceOrderOptions {
  /** Until a probe may go. Default 1 h. */
  readonly for?: Duration;
}

/**
 * Sets other numbers for all processes at once. RESOURCE_UNKNOWN, USE_INVALID for a key there cannot be,
 * OPTION_INVALID for an impossible value.
 */
export async function setResource(
  mill: MillContext,
  name: string,
  options: SetResourceOptions,
): Promise<ResourceView> {
  await checkOrder(mill, name, options);
  const { limit, quotas } = readNumbers(name, options);
  const forMs = readFor(name, options.for) ?? null;
  const address = toAddress(name, options);
  const before = await findSet(mill, address);
  const change = {
    kind: "override" as const,
    limit: limit ?? before.limit,
    quotas: quotas ?? before.quotas,
    forMs,
  };
  await write(mill, address, { change, options });
  return await viewOne(mill, address);
}

/** Opens a breaker, for all processes at once. Errors as `setResource`. */
export async function tripResource(
  mill: MillContext,
  name: string,
  options: TripResourceOptions = {},
): Promise<ResourceView> {
  const terms = await checkOrder(mill, name, options);
  if (terms?.keyed === true && options.key === undefined) {
    throw new MillraceError("USE_INVALID", `Resource "${name}" has a breaker for each key.`, {
      hint: "name the key that is to be left alone",
    });
  }
  if (terms?.breaker === null) {
    throw new MillraceError("OPTION_INVALID", `Resource "${name}" has no breaker to be opened.`, {
      hint: `declare it with breaker: {}, or set its limit`,
    });
  }
  const forMs = readFor(name, options.for) ?? TRIP_MS_DEFAULT;
  const address = toAddress(name, options);
  await write(mill, address, { change: { kind: "trip", forMs }, options });
  return await viewOne(mill, address);
}

/**
 * Lifts what was set and what the other side asked for, and closes the breaker: of one key, or of a resource with all
 * its keys. Errors as `setResource`.
 */
export async function resetResource(
  mill: MillContext,
  name: string,
  options: ResourceOrderOptions = {},
): Promise<ResourceView> {
  await checkOrder(mill, name, options);
  const order = { change: { kind: "reset" as const }, options };
  const address = toAddress(name, options);
  const record = await mill.store.findResource(address);
  if (record !== undefined && isResourceMoved(record)) await write(mill, address, order);
  if (options.key === undefined) {
    for (const each of await listSetKeys(mill, name)) await write(mill, each, order);
  }
  return await viewOne(mill, address);
}

/** Keys of a resource that a reset would change. */
async function listSetKeys(
  { store }: MillContext,
  resource: string,
): Promise<readonly ResourceAddress[]> {
  const found: ResourceAddress[] = [];
  let after: ResourceAddress = { resource, key: "" };
  for (;;) {
    const page = await store.listResources({ resource, after, limit: PAGE_ROWS_MAX });
    found.push(...page.filter(isResourceMoved));
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_ROWS_MAX) return found;
    after = { resource, key: last.key };
  }
}

async function checkOrder(
  mill: MillContext,
  name: string,
  { key, reason, actor }: ResourceOrderOptions,
): Promise<ResourceTerms | null> {
  const terms = await getResourceTerms(mill, name);
  checkResourceKey(name, key, terms);
  for (const [what, text] of Object.entries({ reason, actor })) {
    if (text === undefined || (text.length >= 1 && text.length <= REASON_CHARS_MAX)) continue;
    throw new MillraceError(
      "OPTION_INVALID",
      `The ${what} of an order has 1 to ${REASON_CHARS_MAX} characters; got ${text.length}.`,
    );
  }
  return terms;
}

interface SetNumbers {
  readonly limit: number | null;
  readonly quotas: readonly QuotaDeclared[] | null;
}

function readNumbers(name: string, { limit, quota }: SetResourceOptions): SetNumbers {
  if (limit === undefined && quota === undefined) {
    throw new MillraceError("OPTION_INVALID", `Nothing is to be set for resource "${name}".`, {
      hint: "name a limit or a quota",
    });
  }
  const settings: ResourceSettings = {
    [name]: {
      ...(limit === undefined ? {} : { limit }),
      ...(quota === undefined ? {} : { quota }),
    },
  };
  const faults: DefinitionFault[] = [];
  checkResourceSettings(settings, faults);
  if (faults.length > 0) throw cannotSet(name, faults);
  const values = toResourceValues(settings)[name] ?? {};
  const { terms } = parseResource({ name, values, faults, base: null });
  return { limit: terms.limit, quotas: quota === undefined ? null : terms.quotas };
}

function cannotSet(name: string, faults: readonly DefinitionFault[]): MillraceError {
  const prefix = `resources.${name}.`;
  const lines = faults.map(({ path, message }) => `${path.replace(prefix, "")}: ${message}`);
  return new MillraceError(
    "OPTION_INVALID",
    `Resource "${name}" cannot be set so: ${lines.join("; ")}.`,
    { details: { faults: faults.map((fault) => ({ ...fault })) } },
  );
}

function readFor(name: string, duration: Duration | undefined): number | undefined {
  if (duration === undefined) return undefined;
  const read = parseDuration(duration);
  if (read.ok && read.value >= 1 && read.value <= DURATION_MS_MAX) return read.value;
  const why = read.ok ? `expected 1 ms to 366 days; got ${String(duration)}` : read.error;
  throw new MillraceError("OPTION_INVALID", `Time of an order for resource "${name}": ${why}.`);
}

function toAddress(resource: string, { key = "" }: ResourceOrderOptions): ResourceAddress {
  return { resource, key };
}

/** What is set for the address and still holds. */
async function findSet({ store }: MillContext, address: ResourceAddress): Promise<SetNumbers> {
  const record = await store.findResource(address);
  const set = record === undefined ? null : findResourceOverride(record.state, null, store.nowMs());
  return { limit: set?.limit ?? null, quotas: set?.quotas ?? null };
}

async function write(
  mill: MillContext,
  address: ResourceAddress,
  { change, options }: { readonly change: ResourceOrder; readonly options: ResourceOrderOptions },
): Promise<void> {
  const { actor = "program", reason = "by hand" } = options;
  const result = await whileOpen(mill, () =>
    mill.committer.write({ kind: "set-resource", ...address, change, actor, reason }),
  );
  if (result.kind === "resource-set") mill.resources.tell(result.events);
  // Those who wait here need not wait for the next look.
  const { resource, key } = address;
  mill.world.limits.gate.reopen({ resource, key: key === "" ? null : key });
}
