// Brings what the mill was opened with into the store: new schedules are made, changed ones follow their file under what
// was set and switched by hand. One that the file names no more does not tick; put back, it is as it was.
//
// Several programs with files of their own may share a store: one takes away only schedules of pipelines that it knows.

import { PAGE_ROWS_MAX } from "../../model/limits.ts";
import type { StoreRecord } from "../../storage/records/record-write.ts";
import type { MillContext } from "../mill-context.ts";
import { parseScheduleState } from "./schedule-record.ts";
import {
  changeState,
  isSameState,
  listDeclared,
  putSchedule,
  toKnown,
  type KnownSchedule,
} from "./known-schedule.ts";

/** Schedules that are written in one transaction. */
const TOGETHER = 100;

/** Seeds all of them. Repeated, it changes nothing. DEFINITION_INVALID, SCHEDULE_INVALID: nothing was changed then. */
export async function seedSchedules(mill: MillContext): Promise<void> {
  const declared = listDeclared(mill);
  const names = [...declared.keys()];
  for (let from = 0; from < names.length; from += TOGETHER) {
    const together = names.slice(from, from + TOGETHER);
    await Promise.all(together.map((name) => seedSchedule(mill, name)));
  }
  for await (const record of listStored(mill)) {
    if (!declared.has(record.key)) await takeAway(mill, record);
  }
}

async function seedSchedule(mill: MillContext, name: string): Promise<void> {
  const spec = listDeclared(mill).get(name);
  for (;;) {
    const record = await mill.store.findRecord("schedules", name);
    const known = toKnown(name, record, { spec, nowMs: mill.store.nowMs() });
    if (known === undefined || (record !== undefined && isSameState(known.state, record.value)))
      return;
    if (await put(mill, known)) return;
  }
}

async function takeAway(mill: MillContext, first: StoreRecord): Promise<void> {
  let record: StoreRecord | undefined = first;
  while (record !== undefined) {
    const state = parseScheduleState(record.value);
    if (state === undefined || state.removed || !mill.pipelines.has(state.declared.pipeline))
      return;
    const changed = changeState(state, { removed: true }, mill.store.nowMs());
    const name = record.key;
    if (await put(mill, { name, record, state: changed })) return;
    record = await mill.store.findRecord("schedules", name);
  }
}

async function put(
  mill: MillContext,
  { name, record, state }: Pick<KnownSchedule, "name" | "record" | "state">,
): Promise<boolean> {
  const result = await mill.committer.write({
    kind: "put-records",
    puts: [putSchedule({ name, record }, state)],
    events: [],
  });
  return result.kind === "recorded";
}

async function* listStored(mill: MillContext): AsyncGenerator<StoreRecord> {
  let after = "";
  for (;;) {
    const page = await mill.store.listRecords({
      collection: "schedules",
      after,
      limit: PAGE_ROWS_MAX,
    });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_ROWS_MAX) return;
    after = last.key;
  }
}
