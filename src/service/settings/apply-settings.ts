// Takes over settings while a mill is open: all of them, or none. What is in use goes on as it was until it asks anew: an
// attempt that holds a permit keeps it, a look of the watchdog that is under way ends under the old periods.

import type { ScheduleSettings } from "../../model/schedule/parse-schedule.ts";
import type { ResourceSettings } from "../../model/compile/resource-settings.ts";
import type { NotifySettings } from "../../model/compile/notify-settings.ts";
import type { LiveNotices } from "../listeners/notices/live-notices.ts";
import { readNotices } from "../listeners/notices/read-notices.ts";
import { setNotices } from "../listeners/notices/set-notices.ts";
import type { MillContext } from "../mill-context.ts";
import { declareResources } from "../resources/declare-resources.ts";
import { listDeclared } from "../schedules/known-schedule.ts";
import { wakeSchedulers } from "../schedules/running-schedulers.ts";
import { seedSchedules } from "../schedules/seed-schedules.ts";
import type { RunningWatchdog } from "../watchdog/start-watchdog.ts";

/** What can change while a mill is open. */
export interface LiveSettings {
  /** Null: nobody is told. Undefined: as it is. */
  readonly notify?: NotifySettings | null | undefined;
  readonly schedules: ScheduleSettings;
  readonly resources: ResourceSettings;
  /** Longest time of a stage's probe, ms. */
  readonly probeMs: number;
  /** Time between two looks of the watchdog, ms. */
  readonly watchMs: number;
  /** Silence of a run that is warned of, ms. */
  readonly silentRunMs: number;
}

/** Where they come from, and what goes with them. */
export interface ApplyOptions {
  /** File, as shown. */
  readonly source: string;
  /** Keys that are in force from now on. */
  readonly changed: readonly string[];
  /** Keys that differ and need a restart. */
  readonly restart: readonly string[];
  readonly watchdog: Pick<RunningWatchdog, "setPeriods">;
  /** Makes notices here; undefined: others do. */
  readonly notices?: Pick<LiveNotices, "renew"> | undefined;
  /** True: this process fires schedules, and brings them into the store. */
  readonly seeds: boolean;
}

/**
 * Applies them and tells `settings.applied`. DEFINITION_INVALID, SCHEDULE_INVALID, RESOURCE_CONFLICT, RESOURCE_UNKNOWN:
 * nothing has changed then. What the store rejects with: to be repeated, which is safe.
 */
export async function applySettings(
  mill: MillContext,
  settings: LiveSettings,
  options: ApplyOptions,
): Promise<void> {
  const { schedules, resources, probeMs, watchMs, silentRunMs, notify } = settings;
  // All three may refuse; after them nothing does but the store.
  const notices = notify === undefined ? mill.notices : await readNotices(notify ?? undefined);
  const declared = declareResources(resources, mill.pipelines.values());
  listDeclared({ schedules, store: mill.store });
  mill.resources.replaceBy(declared);
  setNotices(mill, notices);
  mill.schedules = schedules;
  mill.probeMs = probeMs;
  options.watchdog.setPeriods({ everyMs: watchMs, silentMs: silentRunMs });
  await options.notices?.renew();
  if (options.seeds) {
    await seedSchedules(mill);
    wakeSchedulers(mill);
  }
  mill.standing.refusedSettings = null;
  const { source, changed, restart } = options;
  await mill.committer.write({
    kind: "tell-outside",
    runId: null,
    events: [{ type: "settings.applied", data: { source, changed, restart } }],
  });
}
