// Lists of runs: what they may be asked, and a page of them.

import * as z from "zod";
import { RUN_STATES, type RunState } from "../../model/run.ts";
import { schemaField, type Document } from "./document.ts";
import {
  idText,
  keyText,
  listText,
  nameText,
  pageFields,
  sinceText,
  tagText,
  type PageQuery,
} from "./reading.ts";
import { run, type Run } from "./run.ts";

/** Which runs; newest first. With `key`, the one run of that key, which needs its `pipeline`. */
export interface RunsQuery extends PageQuery {
  readonly state?: readonly RunState[];
  readonly pipeline?: string;
  readonly since?: string;
  readonly tag?: readonly [key: string, value: string];
  readonly parent?: string;
  readonly key?: string;
}

/** Which runs. */
export const runsQuery: z.ZodType<RunsQuery> = z.strictObject({
  ...pageFields,
  state: listText(RUN_STATES).exactOptional(),
  pipeline: nameText.exactOptional(),
  since: sinceText.exactOptional(),
  tag: tagText.exactOptional().meta({ description: "key=value" }),
  parent: idText.exactOptional(),
  key: keyText.exactOptional().meta({ description: "Of the run; needs `pipeline`." }),
});

/** A page of runs. */
export interface RunsAnswer extends Document<"runs"> {
  readonly runs: readonly Run[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

/** A page of runs. */
export const runsAnswer: z.ZodType<RunsAnswer> = z
  .object({
    ...schemaField("runs"),
    runs: z.array(run),
    nextCursor: z.string().exactOptional(),
  })
  .meta({ id: "Runs" });

/** Which finished runs; newest first. */
export interface HistoryQuery extends PageQuery {
  readonly state?: readonly EndState[];
  readonly pipeline?: string;
  readonly since?: string;
  readonly tag?: readonly [key: string, value: string];
}

const END_STATES = ["succeeded", "failed", "skipped", "cancelled"] as const;
type EndState = (typeof END_STATES)[number];

/** Which finished runs. */
export const historyQuery: z.ZodType<HistoryQuery> = z.strictObject({
  ...pageFields,
  state: listText(END_STATES).exactOptional(),
  pipeline: nameText.exactOptional(),
  since: sinceText.exactOptional().meta({ description: "Queued then or later." }),
  tag: tagText.exactOptional().meta({ description: "key=value" }),
});
