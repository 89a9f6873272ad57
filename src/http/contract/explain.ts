// Why something is as it is, the graph of a run, and its waits.

import * as z from "zod";
import { STAGE_STATES, type StageState } from "../../model/outcome.ts";
import { schemaField, type Document } from "./document.ts";
import { flagText, keyText, nameText } from "./reading.ts";
import { blocker, numbersValue, timeValue, type Blocker } from "./run.ts";

/** About what. */
export interface WhyQuery {
  readonly stage?: string;
  readonly item?: string;
  readonly history?: boolean;
}

/** About what: nothing asks about the run. */
export const whyQuery: z.ZodType<WhyQuery> = z
  .strictObject({
    stage: nameText.exactOptional(),
    item: keyText.exactOptional().meta({ description: "Key; needs `stage`." }),
    history: flagText.exactOptional().meta({ description: "Also past waits." }),
  })
  .refine((query) => query.item === undefined || query.stage !== undefined, {
    path: ["item"],
    message: "expected with a stage",
  });

/** A wait that is over. */
export interface Wait {
  readonly blocker: Blocker;
  readonly from: string;
  readonly to: string;
}

/** The reasons in order. */
export interface WhyAnswer extends Document<"why"> {
  readonly subject: string;
  readonly state: string;
  readonly summary: string;
  readonly blockers: readonly Blocker[];
  readonly notes: readonly string[];
  readonly history?: readonly Wait[];
  readonly waitedMs?: Readonly<Record<string, number>>;
}

/** The reasons in order. */
export const whyAnswer: z.ZodType<WhyAnswer> = z
  .object({
    ...schemaField("why"),
    subject: z.string(),
    state: z.string(),
    summary: z.string(),
    blockers: z.array(blocker),
    notes: z.array(z.string()),
    history: z.array(z.object({ blocker, from: timeValue, to: timeValue })).exactOptional(),
    waitedMs: numbersValue.exactOptional(),
  })
  .meta({ id: "Why" });

/** A stage of a graph. */
export interface GraphStage {
  readonly stage: string;
  readonly kind: string;
  readonly needs: readonly string[];
  readonly critical: boolean;
  readonly state: StageState;
}

/** The stages of a run and what they need. */
export interface GraphAnswer extends Document<"graph"> {
  readonly pipeline: string;
  readonly definition: string;
  readonly stages: readonly GraphStage[];
}

/** The stages of a run and what they need. */
export const graphAnswer: z.ZodType<GraphAnswer> = z
  .object({
    ...schemaField("graph"),
    pipeline: z.string(),
    definition: z.string(),
    stages: z.array(
      z.object({
        stage: z.string(),
        kind: z.string(),
        needs: z.array(z.string()),
        critical: z.boolean(),
        state: z.enum(STAGE_STATES),
      }),
    ),
  })
  .meta({ id: "Graph" });
