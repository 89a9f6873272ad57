// How high things stand now, for the roll-ups: how much is queued and for how long, and for each resource what is held,
// who waits, what its quotas have left and how its breakers stand. Of a resource the first 500 keys are read, and some
// 10,000 keys in all.

import { PAGE_ROWS_MAX } from "../../model/limits.ts";
import { lookAt } from "../../policy/rollup/bucket.ts";
import {
  ALL_PIPELINES,
  listLevelEntries,
  type RollUpEntry,
  type RollUpSubject,
} from "../../policy/rollup/roll-up-entry.ts";
import type { ResourceAddress, ResourceRecord } from "../../storage/permits/permit-write.ts";
import { toResourceView, type ResourceFacts, type ResourceView } from "../views/resource-view.ts";
import type { RolledMill } from "./roll-up-records.ts";

/** Pages of keys that are read, each with a turn of the event loop after it. */
const PAGES_MAX = 20;

/** Levels of a queue. */
export const QUEUE_LEVELS = ["queued", "oldestDueMs"] as const;

/** Levels of a resource; `quotaLeft` in thousandths of a full quota, of the emptiest key. */
export const RESOURCE_LEVELS = [
  "held",
  "waiting",
  "quotaLeft",
  "breakersOpen",
  "breakersHalfOpen",
] as const;

/** What one look finds, one list per subject. Pipelines in whose queue nothing is are left out. */
export async function lookAtLevels(mill: RolledMill): Promise<readonly (readonly RollUpEntry[])[]> {
  return [...(await lookAtQueues(mill)), ...(await lookAtResources(mill))];
}

type Levels = Readonly<Record<string, number>>;

async function lookAtQueues({ store }: RolledMill): Promise<readonly (readonly RollUpEntry[])[]> {
  const atMs = store.nowMs();
  const found: (readonly RollUpEntry[])[] = [];
  const all = { queued: 0, oldestDueMs: 0 };
  for (const [name, { queued = 0 }] of await store.countRuns()) {
    if (queued === 0) continue;
    const next = await store.findNextQueued(name);
    const oldestDueMs = Math.max(0, atMs - (next?.dueAtMs ?? atMs));
    all.queued += queued;
    all.oldestDueMs = Math.max(all.oldestDueMs, oldestDueMs);
    found.push(toEntries({ kind: "pipeline", name }, atMs, { queued, oldestDueMs }));
  }
  return [toEntries(ALL_PIPELINES, atMs, all), ...found];
}

async function lookAtResources(mill: RolledMill): Promise<readonly (readonly RollUpEntry[])[]> {
  const atMs = mill.store.nowMs();
  const found: (readonly RollUpEntry[])[] = [];
  for await (const [name, records] of listKeys(mill)) {
    const terms = mill.resources.find(name)?.terms ?? null;
    // The whole of a resource comes before its keys, as an empty one.
    const whole = records.find(({ key }) => key === "")?.state ?? null;
    const views = records.map((record) => toView(record, { terms, whole, nowMs: atMs }));
    found.push(toEntries({ kind: "resource", name }, atMs, sumUp(views)));
  }
  return found;
}

/** Resources with their first keys. */
async function* listKeys({
  store,
  world,
}: RolledMill): AsyncGenerator<readonly [name: string, records: readonly ResourceRecord[]]> {
  let after: ResourceAddress | undefined;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const page: readonly ResourceRecord[] = await store.listResources({
      limit: PAGE_ROWS_MAX,
      ...(after === undefined ? {} : { after }),
    });
    const groups = [...Map.groupBy(page, ({ resource }) => resource)];
    const isEnd = page.length < PAGE_ROWS_MAX;
    // The last one may go on: it begins the next page, unless it fills this one.
    const [cut] = isEnd ? [] : groups.splice(Math.max(1, groups.length - 1));
    yield* groups;
    if (isEnd) return;
    const [name, records] = groups.at(-1) ?? ["", []];
    after = cut === undefined ? { resource: name, key: LAST_KEY } : records.at(-1);
    await new Promise<void>((resolve) => world.clock.defer(resolve));
  }
}

/** After every key there can be. */
const LAST_KEY = "\u{10FFFF}";

function toView(
  record: ResourceRecord,
  { terms, whole, nowMs }: Pick<ResourceFacts, "terms" | "whole" | "nowMs">,
): ResourceView {
  return toResourceView({
    record,
    terms: terms ?? record.terms,
    whole: record.key === "" ? null : whole,
    holders: [],
    nowMs,
  });
}

function sumUp(views: readonly ResourceView[]): Levels {
  const left = views.flatMap(({ quotas }) =>
    quotas.map(({ available, burst }) => Math.floor((available / burst) * 1_000)),
  );
  const sum = (of: (view: ResourceView) => number): number =>
    views.reduce((total, view) => total + of(view), 0);
  const count = (state: string): number => sum(({ breaker }) => (breaker?.state === state ? 1 : 0));
  const hasBreaker = views.some(({ breaker }) => breaker !== undefined);
  return {
    held: sum(({ held }) => held),
    waiting: sum(({ waiting }) => waiting),
    ...(left.length === 0 ? {} : { quotaLeft: Math.min(1_000, ...left) }),
    ...(hasBreaker ? { breakersOpen: count("open"), breakersHalfOpen: count("half_open") } : {}),
  };
}

function toEntries(subject: RollUpSubject, atMs: number, levels: Levels): readonly RollUpEntry[] {
  return Object.entries(levels).flatMap(([name, value]) =>
    listLevelEntries(subject, { atMs, name, level: lookAt(Math.round(value)) }),
  );
}
