// Whether resources let calls go: one line for each resource, over all its keys. A breaker that is open, and a pause that
// the other side asked for, are not good; a full limit or quota is what they are for.

import type { DeclaredResources } from "../../engine/limits/declared-resources.ts";
import { PAGE_ROWS_MAX } from "../../model/limits.ts";
import { findOverride } from "../../policy/breaker/breaker.ts";
import type { ResourceAddress, ResourceRecord } from "../../storage/permits/permit-write.ts";
import type { Store } from "../../storage/store.ts";
import type { ResourceProbeView } from "../views/health-view.ts";

/** Keys that are looked at; beyond it the rest is left out, and said to be. */
const KEYS_MAX = 10_000;
/** Keys that a line names. */
const KEYS_NAMED_MAX = 3;

/** Checks all resources that are declared here or were used, in order of name. */
export async function checkResources(
  store: Pick<Store, "listResources" | "nowMs">,
  resources: Pick<DeclaredResources, "list">,
): Promise<readonly ResourceProbeView[]> {
  const faults = new Map<string, string[]>(resources.list().map(({ terms }) => [terms.name, []]));
  let after: ResourceAddress | undefined;
  let looked = 0;
  for (let hasMore = true; hasMore && looked < KEYS_MAX;) {
    const page = await store.listResources({
      limit: PAGE_ROWS_MAX,
      ...(after === undefined ? {} : { after }),
    });
    for (const record of page) noteKey(faults, record, store.nowMs());
    after = page.at(-1);
    looked += page.length;
    hasMore = page.length === PAGE_ROWS_MAX;
  }
  const names = [...faults.keys()].toSorted();
  return names.map((resource) => toView(resource, faults.get(resource) ?? [], looked >= KEYS_MAX));
}

function noteKey(faults: Map<string, string[]>, record: ResourceRecord, nowMs: number): void {
  const { resource, key } = record;
  const known = faults.get(resource) ?? [];
  faults.set(resource, known);
  const fault = findFault(record, nowMs);
  if (fault !== null) known.push(key === "" ? fault : `${key}: ${fault}`);
}

function findFault({ state }: ResourceRecord, nowMs: number): string | null {
  const { breaker, pausedUntilMs } = state;
  const forced = breaker === null ? null : findOverride(breaker, nowMs);
  if (forced?.kind === "force-open") return `its breaker is held open (${forced.reason})`;
  const isOpen = breaker?.state === "open" && breaker.openUntilMs > nowMs;
  if (isOpen && forced === null) return "its breaker is open";
  return pausedUntilMs !== null && pausedUntilMs > nowMs
    ? "the other side asked for a pause"
    : null;
}

function toView(resource: string, faults: readonly string[], isCut: boolean): ResourceProbeView {
  if (faults.length === 0) return { resource, status: "ok" };
  const rest = faults.length - KEYS_NAMED_MAX;
  const more = rest > 0 ? `, and ${isCut ? "at least " : ""}${rest} more` : "";
  return {
    resource,
    status: "fail",
    message: `${faults.slice(0, KEYS_NAMED_MAX).join(", ")}${more}`,
  };
}
