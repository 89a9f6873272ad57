// `-n` of resume and rerun: what would be kept and what would be done, without doing it.

import { findRefusal } from "../../service/plan/find-refusal.ts";
import { planPipeline } from "../../service/plan/plan.ts";
import type { PlanOptions } from "../../service/plan/plan-selection.ts";
import type { CliContext } from "../cli-context.ts";
import { printPlan } from "../commands/plan.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { loadRunTarget } from "../load/load-run-target.ts";
import { withStore } from "../with-store.ts";
import type { FoundRun } from "./find-resumable.ts";

/** What would be done with the run. */
export interface AgainWishes extends Pick<PlanOptions, "verb" | "from" | "input"> {
  /** The command that does it, without `--from`. */
  readonly start: readonly string[];
}

/** Prints the plan; exit 0 whether or not there is work. */
export async function planAgain(
  context: CliContext,
  found: FoundRun,
  { start, ...wishes }: AgainWishes,
): Promise<ExitCode> {
  const { record, detail, basis } = found;
  const { name, pipeline } = detail.run;
  const target = await loadRunTarget(context, { name, pipeline, source: record.source });
  const slots = target.settings.attemptsInFlight.value;
  const { definition } = target.pipeline;
  // Only what makes a run asks the gate.
  const refusal =
    wishes.verb === "resume"
      ? undefined
      : await withStore(context, (store) => findRefusal(store, definition));
  const refused = refusal === undefined ? {} : { refusal };
  const plan = planPipeline(definition, { ...basis, ...wishes, ...refused, slots });
  const from = wishes.from === undefined ? [] : ["--from", wishes.from];
  printPlan(target.context, plan, [...start, ...from]);
  return EXIT.ok;
}
