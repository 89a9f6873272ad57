// `show` of a pipeline.

import type { CliContext } from "../cli-context.ts";
import { renderPipelineDetail } from "../answers/pipeline-text.ts";
import { EXIT } from "../exit-code.ts";
import { loadTarget } from "../load/load-pipeline.ts";
import { surroundingsOf } from "./surroundings.ts";
import { toPipelineView } from "../../service/views/pipeline/pipeline-view.ts";
import { printAnswer, printDocument } from "../print.ts";
import { lookOf } from "../render/look.ts";

/** Shows a pipeline, or only the names of its entry stages. */
export async function showPipeline(
  context: CliContext,
  reference: string,
  wishes: { readonly entryOnly: boolean },
): Promise<number> {
  const { pipeline, settings } = await loadTarget(context, reference);
  const detail = toPipelineView(pipeline.definition, surroundingsOf(pipeline.definition, settings));
  if (wishes.entryOnly) {
    const { entries } = detail;
    if (context.flags.json) {
      printDocument(context, { schema: "millrace.show/1", pipeline: pipeline.name, entries });
    } else printAnswer(context, entries.join("\n"));
    return EXIT.ok;
  }
  if (context.flags.json) printDocument(context, { schema: "millrace.show/1", ...detail });
  else printAnswer(context, renderPipelineDetail(detail, lookOf(context, context.stdout)));
  return EXIT.ok;
}
