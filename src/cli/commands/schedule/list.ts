// `millrace schedule list`: what is scheduled, and what became of the last ticks.

import { listSchedules, type SchedulePage } from "../../../service/schedules/list-schedules.ts";
import { openReader } from "../../../service/queries/open-reader.ts";
import { renderScheduleTable } from "../../answers/schedule-table.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { EXIT } from "../../exit-code.ts";
import { FlagReader } from "../../input/flag-reader.ts";
import { readPage } from "../../input/list-flags.ts";
import { nextCommand } from "../../next-command.ts";
import { printAnswer, printDocument, printRemark } from "../../print.ts";
import { lookOf } from "../../render/look.ts";
import { readSettings } from "../../settings.ts";
import { withStoreIfAny, type StoreReader } from "../../with-store.ts";
import type { ScheduleScene } from "../../../service/schedules/known-schedule.ts";

/** Lists schedules. */
export async function run(context: CliContext, options: ParsedOptions): Promise<number> {
  const reader = new FlagReader(options);
  const page = readPage(reader);
  reader.finish("npx millrace schedule list --help");
  const found = await askSchedules(context, async (scene) => ({
    ...(await listSchedules(scene, page)),
    nowMs: scene.store.nowMs(),
  }));
  print(context, found);
  return EXIT.ok;
}

/** Asks about schedules; where nobody has made the store yet, about what is configured. */
export async function askSchedules<T>(
  context: CliContext,
  ask: (scene: ScheduleScene) => Promise<T>,
): Promise<T> {
  const schedules = (await readSettings(context)).schedules.value;
  // Wrapped, as an answer may be undefined.
  const answered = await withStoreIfAny(context, async (store) => ({
    answer: await ask({ store, schedules }),
  }));
  if (answered !== undefined) return answered.answer;
  const store: StoreReader = await openReader("memory:");
  try {
    return await ask({ store, schedules });
  } finally {
    await store.close();
  }
}

function print(
  context: CliContext,
  { schedules, nextCursor, nowMs }: SchedulePage & { readonly nowMs: number },
): void {
  if (context.flags.json) {
    const cursor = nextCursor === undefined ? {} : { nextCursor };
    printDocument(context, { schema: "millrace.schedules/1", schedules, ...cursor });
    return;
  }
  if (schedules.length === 0) {
    printRemark(context, "no schedules: write some in millrace.config.ts");
    return;
  }
  printAnswer(context, renderScheduleTable(schedules, lookOf(context, context.stdout), nowMs));
  if (nextCursor === undefined) return;
  printRemark(
    context,
    `more: ${nextCommand(context, ["schedule", "list", "--cursor", nextCursor])}`,
  );
}
