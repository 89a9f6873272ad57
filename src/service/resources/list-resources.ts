// A page of resources: every key that was used or set, and what is declared and was not used yet. What others have
// declared is told from their last use.

import type { ResourceTerms } from "../../model/resource/resource.ts";
import { NEW_RESOURCE_STATE, type ResourceState } from "../../policy/admission.ts";
import { NO_TOTALS } from "../../storage/permits/permit-book.ts";
import type { ResourceAddress, ResourceRecord } from "../../storage/permits/permit-write.ts";
import { PAGE_ROWS_MAX } from "../../model/limits.ts";
import { toResourceView, type HolderView, type ResourceView } from "../views/resource-view.ts";
import { toIso } from "../views/time-view.ts";
import { runName } from "../queries/find-run.ts";
import { checkResourceKey, getResourceTerms, type ResourceSources } from "./known-resources.ts";
import { checkPageLimit, cursorInvalid } from "../queries/page-limit.ts";

/** Which resources. Absent: all. */
export interface ResourceListQuery {
  /** The name of one. */
  readonly resource?: string;
  /** One key of it. */
  readonly key?: string;
  /** 1 to 500. Default 20. */
  readonly limit?: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
}

/** One page, in order of name and key. */
export interface ResourcePage {
  readonly resources: readonly ResourceView[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

/** Holders that a view names. */
const HOLDERS_MAX = 10;

/** Lists resources. RESOURCE_UNKNOWN, USE_INVALID for a key there cannot be, OPTION_INVALID for a bad page. */
export async function listResources(
  sources: ResourceSources,
  query: ResourceListQuery = {},
): Promise<ResourcePage> {
  const limit = checkPageLimit(query.limit);
  const { resource, key } = query;
  if (resource !== undefined) {
    const terms = await getResourceTerms(sources, resource);
    checkResourceKey(resource, key, terms);
    if (key !== undefined) return { resources: [await viewOne(sources, { resource, key })] };
  }
  const found = await listRecords(sources, { ...query, limit });
  const page = found.slice(0, limit);
  const viewer = new Viewer(sources);
  const views: ResourceView[] = [];
  for (const record of page) if (!isForgotten(record)) views.push(await viewer.view(record));
  const last = page.at(-1);
  const hasMore = found.length > limit || (limit === PAGE_ROWS_MAX && found.length === limit);
  return {
    resources: views,
    ...(last === undefined || !hasMore ? {} : { nextCursor: `${last.resource}/${last.key}` }),
  };
}

/** One key, also one that nobody has used yet. */
export async function viewOne(
  sources: ResourceSources,
  address: ResourceAddress,
): Promise<ResourceView> {
  const record = await sources.store.findResource(address);
  return await new Viewer(sources).view(record ?? toUnused(address, null));
}

/** True where a reset would change something: an override, a pause, or a breaker that is not simply closed. */
export function isResourceMoved({ state }: ResourceRecord): boolean {
  const { breaker, override, pausedUntilMs } = state;
  const isMoved = breaker !== null && (breaker.state !== "closed" || breaker.override !== null);
  return isMoved || override !== null || pausedUntilMs !== null;
}

/** The line of a whole resource that nobody uses as such, once what was set for it is lifted. */
function isForgotten(record: ResourceRecord): boolean {
  const { key, usedAtMs, waiting, totals } = record;
  const isUsed = totals.granted + totals.throttled + waiting > 0;
  return key === "" && usedAtMs > 0 && !isUsed && !isResourceMoved(record);
}

async function listRecords(
  sources: ResourceSources,
  query: ResourceListQuery & { readonly limit: number },
): Promise<readonly ResourceRecord[]> {
  const { resource, limit, cursor } = query;
  const after = cursor === undefined ? undefined : parseCursor(cursor);
  const stored = await sources.store.listResources({
    limit: Math.min(PAGE_ROWS_MAX, limit + 1),
    ...(resource === undefined ? {} : { resource }),
    ...(after === undefined ? {} : { after }),
  });
  const unused = (await listUnused(sources)).filter(
    (record) =>
      (resource === undefined || record.resource === resource) &&
      (after === undefined || byAddress(record, after) > 0),
  );
  return [...stored, ...unused].sort(byAddress);
}

/** Declared here, and in no row of the store. */
async function listUnused({ store, resources }: ResourceSources): Promise<ResourceRecord[]> {
  const unused: ResourceRecord[] = [];
  for (const { terms } of resources.list()) {
    const stored = await store.listResources({ resource: terms.name, limit: 2 });
    if (stored.every(isForgotten)) unused.push(toUnused({ resource: terms.name, key: "" }, terms));
  }
  return unused;
}

function toUnused(address: ResourceAddress, terms: ResourceTerms | null): ResourceRecord {
  const { resource, key } = address;
  const state = NEW_RESOURCE_STATE;
  return { resource, key, state, totals: NO_TOTALS, held: 0, waiting: 0, terms, usedAtMs: 0 };
}

function parseCursor(cursor: string): ResourceAddress {
  const cut = cursor.indexOf("/");
  if (cut < 1) throw cursorInvalid(cursor);
  return { resource: cursor.slice(0, cut), key: cursor.slice(cut + 1) };
}

/** As databases sort text. */
function byAddress(left: ResourceAddress, right: ResourceAddress): number {
  return compareBytes(left.resource, right.resource) || compareBytes(left.key, right.key);
}

function compareBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

/** Makes views, and reads what several of them share once. */
class Viewer {
  readonly #sources: ResourceSources;
  readonly #wholes: Map<string, ResourceState | null> = new Map();
  readonly #names: Map<string, string> = new Map();

  constructor(sources: ResourceSources) {
    this.#sources = sources;
  }

  async view(record: ResourceRecord): Promise<ResourceView> {
    const { resource, key, held } = record;
    const { store, resources } = this.#sources;
    return toResourceView({
      record,
      terms: resources.find(resource)?.terms ?? record.terms ?? (await this.#findTerms(resource)),
      whole: key === "" ? null : await this.#findWhole(resource),
      holders: held === 0 ? [] : await this.#listHolders({ resource, key }),
      nowMs: store.nowMs(),
    });
  }

  /** Of another key: this one was only set by hand. */
  async #findTerms(resource: string): Promise<ResourceTerms | null> {
    const others = await this.#sources.store.listResources({ resource, limit: PAGE_ROWS_MAX });
    return others.find(({ terms }) => terms !== null)?.terms ?? null;
  }

  async #findWhole(resource: string): Promise<ResourceState | null> {
    let whole = this.#wholes.get(resource);
    if (whole === undefined) {
      whole = (await this.#sources.store.findResource({ resource, key: "" }))?.state ?? null;
      this.#wholes.set(resource, whole);
    }
    return whole;
  }

  async #listHolders(address: ResourceAddress): Promise<readonly HolderView[]> {
    const permits = await this.#sources.store.listHolders(address, HOLDERS_MAX);
    const holders: HolderView[] = [];
    for (const { runId, stage, item, takenAtMs, probe } of permits) {
      const name = await this.#nameRun(runId);
      const since = toIso(takenAtMs);
      holders.push({ run: runId, name, stage, ...(item === null ? {} : { item }), since, probe });
    }
    return holders;
  }

  async #nameRun(runId: string): Promise<string> {
    let name = this.#names.get(runId);
    if (name === undefined) {
      const run = await this.#sources.store.findRun(runId);
      name = run === undefined ? runId : runName(run);
      this.#names.set(runId, name);
    }
    return name;
  }
}
