// `millrace gc`: deletes what retention allows, and the large values that nothing needs any more.

import {
  collectGarbage,
  foreseeGarbage,
  type Garbage,
  type GarbageOptions,
} from "../../service/commands/collect-garbage.ts";
import { escapeControl } from "../../std/text.ts";
import type { CliContext, ParsedOptions } from "../cli-context.ts";
import { confirm } from "../confirm.ts";
import { EXIT } from "../exit-code.ts";
import { FlagReader } from "../input/flag-reader.ts";
import { nextCommand } from "../next-command.ts";
import { printAnswer, printDocument, printRemark } from "../print.ts";
import { showBytes, showCountOf } from "../../std/shown/figures.ts";
import { readSettings } from "../settings.ts";

/** Counts, asks, deletes. */
export async function run(context: CliContext, options: ParsedOptions): Promise<number> {
  const reader = new FlagReader(options);
  const dryRun = reader.has("dryRun");
  const garbage = await readOptions(context);
  const foreseen = await foreseeGarbage(garbage);
  warnUnread(context, foreseen);
  if (dryRun || isNothing(foreseen)) {
    report(context, foreseen, true);
    return EXIT.ok;
  }
  const agreed = await confirm(context, {
    deed: `delete ${sayGarbage(foreseen)}`,
    yes: reader.has("yes"),
    dryRun: nextCommand(context, ["gc", "-n"]),
  });
  if (agreed) report(context, await collectGarbage(garbage), false);
  else printRemark(context, "nothing was deleted");
  return EXIT.ok;
}

async function readOptions(context: CliContext): Promise<GarbageOptions> {
  const { store, busyTimeoutMs, keepRunsMs, keepEventsMs, keepFailedMs } =
    await readSettings(context);
  return {
    store: store.value,
    busyTimeoutMs: busyTimeoutMs.value,
    clock: context.clock,
    retention: {
      runsMs: keepRunsMs.value,
      eventsMs: keepEventsMs.value,
      failedMs: keepFailedMs.value,
    },
  };
}

function warnUnread(context: CliContext, { unread }: Garbage): void {
  if (unread.length === 0) return;
  const names = unread.map((path) => `"${escapeControl(path)}"`).join(", ");
  printRemark(
    context,
    `warning: all large values stay: ${names} beside the store cannot be asked which of them it needs`,
  );
}

function isNothing({ deleted, bytes }: Garbage): boolean {
  return bytes === 0 && Object.values(deleted).every((count) => count === 0);
}

function report(context: CliContext, garbage: Garbage, dryRun: boolean): void {
  const { deleted, bytes } = garbage;
  if (context.flags.json) {
    printDocument(context, { schema: "millrace.gc/1", dryRun, deleted, bytes });
  } else if (isNothing(garbage)) {
    printAnswer(
      context,
      "nothing to delete: no run, event, cache entry or large value is old enough",
    );
  } else if (dryRun) {
    const next = nextCommand(context, ["gc"]);
    printAnswer(context, `would delete ${sayGarbage(garbage)}      next: ${next}`);
  } else printAnswer(context, `deleted ${sayGarbage(garbage)}`);
}

function sayGarbage({ deleted, bytes }: Garbage): string {
  const { runs, events, cache, keys, blobs, folders } = deleted;
  const parts = [
    showCountOf(runs, "run"),
    showCountOf(events, "event"),
    showCountOf(cache, "cache entry", "cache entries"),
    ...(keys === 0 ? [] : [showCountOf(keys, "key of a resource", "keys of resources")]),
    showCountOf(blobs, "blob"),
    ...(folders === 0 ? [] : [showCountOf(folders, "folder of a run", "folders of runs")]),
  ];
  return `${parts.join(", ")}: ${showBytes(bytes)}`;
}
