// A real process that fires the schedules of a store and does nothing else, until it is killed. Its arguments: the
// store, how many schedules.

import { openMillrace, pipeline, stage } from "../../../src/exports/index.ts";
import type { ScheduleSettings } from "../../../src/model/schedule/parse-schedule.ts";
import { contextOf } from "../../../src/service/mill-context.ts";
import { startScheduler } from "../../../src/service/schedules/start-scheduler.ts";

const [store = "", count = "1"] = process.argv.slice(2);
const tell = stage("tell", {}, () => null);
const ticked = pipeline("ticked", { output: { tell } });
const schedules: ScheduleSettings = Object.fromEntries(
  Array.from({ length: Number(count) }, (_, index) => [
    `second-${index}`,
    { pipeline: "ticked", every: "1s", overlap: "allow", jitter: "900ms" } as const,
  ]),
);
const mill = await openMillrace({ store, pipelines: [ticked], schedules });
startScheduler(contextOf(mill));
// A scheduler alone keeps no process alive.
setInterval(() => {}, 60_000);
