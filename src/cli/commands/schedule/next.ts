// `millrace schedule next`: when schedules tick next, in their zone and in UTC, with notes where clocks are changed.

import { PAGE_ROWS_MAX, TICKS_LISTED_MAX } from "../../../model/limits.ts";
import {
  listNextTicks,
  listSchedules,
  type NextTicks,
} from "../../../service/schedules/list-schedules.ts";
import type { ScheduleScene } from "../../../service/schedules/known-schedule.ts";
import { renderTicks } from "../../answers/schedule-table.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { EXIT } from "../../exit-code.ts";
import { FlagReader } from "../../input/flag-reader.ts";
import { readTime } from "../../input/time-flag.ts";
import { printAnswer, printDocument, printRemark } from "../../print.ts";
import { lookOf } from "../../render/look.ts";
import { askSchedules } from "./list.ts";

/** Ticks of each schedule when nothing is asked. */
const COUNT_DEFAULT = 10;

/** Lists ticks. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const reader = new FlagReader(options);
  const count = reader.whole("count", { min: 1, max: TICKS_LISTED_MAX }) ?? COUNT_DEFAULT;
  const afterMs = readTime(reader, "after");
  reader.finish("npx millrace schedule next --help");
  const query = { count, ...(afterMs === undefined ? {} : { afterMs }) };
  const found = await askSchedules(context, async (scene) => {
    const names = args[0] === undefined ? await listNames(scene) : [args[0]];
    const lists: NextTicks[] = [];
    for (const name of names) lists.push(await listNextTicks(scene, name, query));
    return lists;
  });
  if (context.flags.json) {
    const ticks = found.flatMap(({ schedule, zone, ticks: list }) =>
      list.map((tick) => ({ schedule, zone, ...tick })),
    );
    printDocument(context, { schema: "millrace.schedule-next/1", ticks });
  } else if (found.length === 0) {
    printRemark(context, "no schedules are switched on");
  } else printAnswer(context, renderTicks(found, lookOf(context, context.stdout)));
  return EXIT.ok;
}

async function listNames(scene: ScheduleScene): Promise<readonly string[]> {
  const { schedules } = await listSchedules(scene, { limit: PAGE_ROWS_MAX });
  return schedules.filter(({ enabled }) => enabled).map(({ name }) => name);
}
