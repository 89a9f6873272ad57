// What may be done to one run, and what is answered.

import * as z from "zod";
import { RUN_STATES, type RunState } from "../../model/run.ts";
import { schemaField, type Document } from "./document.ts";
import { nameText, reasonText } from "./reading.ts";
import { run, type Run } from "./run.ts";

/** How a run is cancelled. */
export interface CancelBody {
  readonly reason?: string;
  readonly force?: boolean;
}

/** How a run is cancelled. */
export const cancelBody: z.ZodType<CancelBody> = z.strictObject({
  reason: reasonText.exactOptional(),
  force: z.boolean().exactOptional().meta({
    description: "Takes it from a process that does not answer. Default false.",
  }),
});

/** What became of it. */
export interface CancelAnswer extends Document<"cancel"> {
  readonly results: readonly {
    readonly run: string;
    readonly before: RunState;
    readonly after: RunState;
    readonly holder?: string;
    readonly note?: string;
  }[];
}

/** What became of it. */
export const cancelAnswer: z.ZodType<CancelAnswer> = z
  .object({
    ...schemaField("cancel"),
    results: z.array(
      z.object({
        run: z.string(),
        before: z.enum(RUN_STATES),
        after: z.enum(RUN_STATES),
        holder: z.string().exactOptional(),
        note: z.string().exactOptional(),
      }),
    ),
  })
  .meta({ id: "Cancelled" });

/** How a run goes on. */
export interface ResumeBody {
  readonly from?: string;
}

/** How a run goes on. */
export const resumeBody: z.ZodType<ResumeBody> = z.strictObject({
  from: nameText.exactOptional().meta({ description: "Also drops this stage and all after it." }),
});

/** How a run is made again. */
export interface RerunBody {
  readonly from?: string;
  readonly onlyFailed?: boolean;
  readonly override?: boolean;
}

const override = z.boolean().exactOptional().meta({ description: "Although health is degraded." });

/** How a run is made again. */
export const rerunBody: z.ZodType<RerunBody> = z
  .strictObject({
    from: nameText.exactOptional().meta({ description: "Takes over what lies before it." }),
    onlyFailed: z.boolean().exactOptional().meta({ description: "Takes over every success." }),
    override,
  })
  .refine((body) => body.from === undefined || body.onlyFailed !== true, {
    path: ["onlyFailed"],
    message: "expected without from",
  });

/** How a run is queued again. */
export interface RequeueBody {
  readonly override?: boolean;
}

/** How a run is queued again. */
export const requeueBody: z.ZodType<RequeueBody> = z.strictObject({ override });

/** One run, as it is then. */
export interface OneRunAnswer extends Document<"run"> {
  readonly run: Run;
}

/** One run, as it is then. */
export const oneRunAnswer: z.ZodType<OneRunAnswer> = z
  .object({ ...schemaField("run"), run })
  .meta({ id: "OneRun" });
