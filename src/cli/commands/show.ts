// `millrace show`: a run, one of its stages or items; or a pipeline with its order and settings. A pipeline's
// name wins over a run that is named the same.

import { showItem, showRun, showStage } from "../../service/queries/show-run.ts";
import { renderItemDetail, renderRunDetail, renderStageDetail } from "../answers/run-text.ts";
import type { CliContext, ParsedOptions } from "../cli-context.ts";
import { EXIT } from "../exit-code.ts";
import { parseAddress } from "../input/address.ts";
import { nextCommand } from "../next-command.ts";
import { isPipelineReference } from "../load/pipeline-reference.ts";
import { printAnswer, printDocument } from "../print.ts";
import { lookOf } from "../render/look.ts";
import { withStore } from "../with-store.ts";

/** Shows what was named. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const reference = args[0] ?? "";
  if (options["entry"] === true || (await isPipelineReference(context, reference))) {
    const { showPipeline } = await import("../pipeline/show-pipeline.ts");
    return showPipeline(context, reference, { entryOnly: options["entry"] === true });
  }
  const { run: name, stage, key } = parseAddress(reference);
  return withStore(context, async (store) => {
    const look = lookOf(context, context.stdout);
    const scene = {
      look,
      nowMs: store.nowMs(),
      command: (words: readonly string[]) => nextCommand(context, words),
    };
    const answer = async (): Promise<readonly [document: object, text: string]> => {
      if (stage === undefined) {
        const detail = await showRun(store, name);
        return [detail, renderRunDetail(detail, scene)];
      }
      if (key === undefined) {
        const detail = await showStage(store, name, stage);
        return [detail, renderStageDetail(detail, scene)];
      }
      const detail = await showItem(store, name, { stage, key });
      return [detail, renderItemDetail(detail, scene)];
    };
    const [document, text] = await answer();
    if (context.flags.json) printDocument(context, { schema: "millrace.show/1", ...document });
    else printAnswer(context, text);
    return EXIT.ok;
  });
}
