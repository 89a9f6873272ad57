// `millrace health`: how pipelines are doing by their last runs, and whether stages and resources have what they need.

import { showHealth } from "../../../service/health/show-health.ts";
import type { HealthView } from "../../../service/views/health-view.ts";
import { renderHealth } from "../../answers/health-table.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { EXIT } from "../../exit-code.ts";
import { refuseUnknownPipeline } from "../../input/refuse-unknown-pipeline.ts";
import { declareConfigured, listConfiguredPipelines } from "../../load/declare-configured.ts";
import { nextCommand } from "../../next-command.ts";
import { printAnswer, printDocument, printRemark } from "../../print.ts";
import { lookOf } from "../../render/look.ts";
import { readSettings } from "../../settings.ts";
import { withStoreIfAny } from "../../with-store.ts";

/** Tells health. */
export async function run(
  context: CliContext,
  _options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const [pipeline] = args;
  const settings = await readSettings(context);
  const definitions = new Map(
    listConfiguredPipelines(settings).map(({ name, definition }) => [name, definition] as const),
  );
  const sources = { definitions, resources: declareConfigured(settings), clock: context.clock };
  const options = {
    probeMs: settings.probeMs.value,
    ...(pipeline === undefined ? {} : { pipeline }),
  };
  const stored = await withStoreIfAny(context, async (store) => {
    const counts = await store.countRuns();
    refuseUnknownPipeline(pipeline, [...counts.keys(), ...definitions.keys()]);
    return await showHealth({ ...sources, store }, options);
  });
  if (stored === undefined) refuseUnknownPipeline(pipeline, [...definitions.keys()]);
  const view = stored ?? (await showHealth({ ...sources, store: null }, options));
  print(context, view);
  return view.healthy ? EXIT.ok : EXIT.failed;
}

function print(context: CliContext, view: HealthView): void {
  if (context.flags.json) {
    printDocument(context, view);
    return;
  }
  const text = renderHealth(view, {
    look: lookOf(context, context.stdout),
    ack: (name) => nextCommand(context, ["health", "ack", name, "--reason", "…"]),
  });
  if (text === "") printRemark(context, "no runs yet, and no stage has a probe");
  else printAnswer(context, text);
}
