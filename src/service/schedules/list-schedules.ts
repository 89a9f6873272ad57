// Questions about schedules: which there are, one of them, its next ticks, and what became of its past ones. A store
// opened for reading is enough; what is declared and not stored yet is told as well.

import { MillraceError } from "../../model/errors.ts";
import { PAGE_ROWS_DEFAULT, TICKS_LISTED_MAX } from "../../model/limits.ts";
import type { ScheduleSpec } from "../../model/schedule/schedule.ts";
import { describeTick, type DescribedTick } from "../../policy/schedule/describe-tick.ts";
import { toJitterMs } from "../../policy/schedule/jitter.ts";
import { listNext } from "../../policy/schedule/next-tick.ts";
import type { StoreRecord } from "../../storage/records/record-write.ts";
import { checkPageLimit } from "../queries/page-limit.ts";
import {
  toScheduleView,
  toTickView,
  type ScheduleView,
  type TickView,
} from "../views/schedule-view.ts";
import { getTicks } from "./declare-schedules.ts";
import {
  getSchedule,
  listDeclared,
  toKnown,
  type KnownSchedule,
  type ScheduleScene,
} from "./known-schedule.ts";
import { parseTick } from "./schedule-record.ts";

/** Which page. */
export interface ScheduleListQuery {
  /** 1 to 500. Default 20. */
  readonly limit?: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
}

/** A page of schedules, in order of name. */
export interface SchedulePage {
  readonly schedules: readonly ScheduleView[];
  readonly nextCursor?: string;
}

/** Lists schedules. OPTION_INVALID for a limit that cannot be; DEFINITION_INVALID, SCHEDULE_INVALID as declared. */
export async function listSchedules(
  scene: ScheduleScene,
  query: ScheduleListQuery = {},
): Promise<SchedulePage> {
  const limit = query.limit ?? PAGE_ROWS_DEFAULT;
  checkPageLimit(limit);
  const after = query.cursor ?? "";
  const declared = listDeclared(scene);
  const stored = await scene.store.listRecords({ collection: "schedules", after, limit });
  const records = new Map<string, StoreRecord>(stored.map((record) => [record.key, record]));
  const names = [...new Set([...declared.keys(), ...records.keys()])]
    .filter((name) => name > after)
    .toSorted(compareNames);
  const nowMs = scene.store.nowMs();
  const page = names.slice(0, limit);
  const views = await Promise.all(
    page.map(async (name) => {
      const known = toKnown(name, records.get(name), { spec: declared.get(name), nowMs });
      return known === undefined ? undefined : await view(scene, known);
    }),
  );
  const last = page.at(-1);
  const isLast = names.length <= limit && stored.length < limit;
  return {
    schedules: views.filter((found) => found !== undefined),
    ...(isLast || last === undefined ? {} : { nextCursor: last }),
  };
}

/** In the order of their bytes, as the store has them. */
function compareNames(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

async function view({ store }: ScheduleScene, known: KnownSchedule): Promise<ScheduleView> {
  const run = known.state.last?.run;
  return toScheduleView(known, run === undefined ? undefined : await store.findRun(run));
}

/** One schedule. SCHEDULE_UNKNOWN. */
export async function viewSchedule(scene: ScheduleScene, name: string): Promise<ScheduleView> {
  return await view(scene, await getSchedule(scene, name));
}

/** The next ticks of a schedule. */
export interface NextTicks {
  readonly schedule: string;
  readonly zone: string;
  /** False: none of them comes before it is switched on. */
  readonly enabled: boolean;
  /** So much later than each tick its run is queued, ms. */
  readonly jitterMs: number;
  readonly ticks: readonly DescribedTick[];
}

/** What is asked of the next ticks. */
export interface NextQuery {
  /** 1 to 1,000. Default 5. */
  readonly count?: number;
  /** Those after this time, UTC ms. Default: now. */
  readonly afterMs?: number;
}

/** The next ticks of a schedule, in its zone and UTC. SCHEDULE_UNKNOWN, OPTION_INVALID. */
export async function listNextTicks(
  scene: ScheduleScene,
  name: string,
  query: NextQuery = {},
): Promise<NextTicks> {
  const { spec } = await getSchedule(scene, name);
  return describeNext(name, spec, { ...query, nowMs: scene.store.nowMs() });
}

/** The same of a schedule that is not stored: for who looks before saving. SCHEDULE_INVALID, OPTION_INVALID. */
function describeNext(
  name: string,
  spec: Pick<ScheduleSpec, "when" | "zone" | "jitterMs" | "enabled">,
  { count = 5, afterMs, nowMs }: NextQuery & { readonly nowMs: number },
): NextTicks {
  if (!Number.isInteger(count) || count < 1 || count > TICKS_LISTED_MAX) {
    throw new MillraceError(
      "OPTION_INVALID",
      `count: expected a whole number from 1 to ${TICKS_LISTED_MAX}; got ${count}.`,
    );
  }
  const ticks = getTicks(name, spec, nowMs);
  return {
    schedule: name,
    zone: spec.zone,
    enabled: spec.enabled,
    jitterMs: toJitterMs(name, spec.jitterMs),
    ticks: listNext(ticks, afterMs ?? nowMs, count).map((atMs) => describeTick(spec.zone, atMs)),
  };
}

/** A page of past ticks, the newest first. */
export interface TickPage {
  readonly ticks: readonly TickView[];
  readonly nextCursor?: string;
}

/** What became of the ticks of a schedule. OPTION_INVALID for a limit that cannot be. */
export async function listPastTicks(
  { store }: Pick<ScheduleScene, "store">,
  name: string,
  { limit = PAGE_ROWS_DEFAULT, cursor }: ScheduleListQuery = {},
): Promise<TickPage> {
  checkPageLimit(limit);
  const records = await store.listRecords({
    collection: "ticks",
    prefix: `${name}/`,
    newestFirst: true,
    limit,
    ...(cursor === undefined ? {} : { after: cursor }),
  });
  const found = records.map(({ value }) => parseTick(value)).filter((tick) => tick !== undefined);
  const ticks = await Promise.all(
    found.map(async (tick) =>
      toTickView(tick, tick.run === undefined ? undefined : await store.findRun(tick.run)),
    ),
  );
  const last = records.at(-1);
  return {
    ticks,
    ...(records.length < limit || last === undefined ? {} : { nextCursor: last.key }),
  };
}
