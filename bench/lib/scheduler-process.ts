// A process with nothing to do but to wait for schedules: argument 1 is the path of its store, 2 how many there are, 3
// how often it says what it uses, ms. None of them fires within the next hours. It ends with its stdin.

import { once } from "node:events";
import { openMillrace, pipeline, stage } from "millrace";
import type { ScheduleOptions } from "millrace";
import { contextOf } from "../../src/service/mill-context.ts";
import { startScheduler } from "../../src/service/schedules/start-scheduler.ts";
import { FiguresTaker } from "./process-figures.ts";

const MINUTES_OF_DAY = 1_440;
/** None fires sooner, minutes. */
const AWAY_MINUTES = 120;

const nothing = stage("nothing", {}, () => 0);
const nightly = pipeline("nightly", { output: { nothing } });

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function makeSchedules(count: number): Readonly<Record<string, ScheduleOptions>> {
  const nowMinutes = Math.floor(Date.now() / 60_000);
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => {
      const spread = index % (MINUTES_OF_DAY - 2 * AWAY_MINUTES);
      const minutes = (nowMinutes + AWAY_MINUTES + spread) % MINUTES_OF_DAY;
      const [hour, minute] = [Math.floor(minutes / 60), minutes % 60].map((part) =>
        String(part).padStart(2, "0"),
      );
      return [`s${index}`, { pipeline: "nightly", dailyAt: `${hour}:${minute}` }];
    }),
  );
}

const [, , path = "", count = "0", everyMs = "1000"] = process.argv;
const startedMs = performance.now();
const schedules = makeSchedules(Number(count));
const mill = await openMillrace({ store: `sqlite:${path}`, pipelines: [nightly], schedules });
const scheduler = startScheduler(contextOf(mill));
if (Number(count) > 0) {
  const last = Object.keys(schedules).toSorted().at(-1) ?? "";
  for (;;) {
    const record = await mill.store.findRecord("schedules", last);
    if (record !== undefined) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
say({ kind: "ready", ms: performance.now() - startedMs });
const taker = new FiguresTaker({ watchesLoop: false });
const sampling = setInterval(() => say({ kind: "figures", ...taker.take() }), Number(everyMs));
process.stdin.resume();
await once(process.stdin, "end");
clearInterval(sampling);
await scheduler.stop();
await mill.close();
