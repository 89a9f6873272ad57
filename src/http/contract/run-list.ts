// Lists of runs: what they may be asked, and a page of them.

import * as z from "zod";
import { RUN_STATES, type RunState } from "../../model/run.ts";
import { schemaField, type Document } from "./document.ts";
import {
  idText,
  keyText,
  listText,
  nameText,
  cursorFields,
  flagText,
  pageFields,
  sinceText,
  tagText,
  type PageAnswer,
  type PlaceQuery,
} from "./reading.ts";
import { run, wholeValue, type Run } from "./run.ts";

/** Which runs; newest first. With `key`, the one run of that key, which needs its `pipeline`. */
export interface RunsQuery extends PlaceQuery {
  readonly state?: readonly RunState[];
  readonly pipeline?: string;
  readonly since?: string;
  readonly tag?: readonly [key: string, value: string];
  readonly parent?: string;
  readonly key?: string;
  readonly total?: boolean;
}

const around = idText.exactOptional().meta({
  description: "A run: the page that holds it; without `cursor`.",
});

/** Which runs. */
export const runsQuery: z.ZodType<RunsQuery> = z.strictObject({
  ...pageFields,
  state: listText(RUN_STATES).exactOptional(),
  pipeline: nameText.exactOptional(),
  since: sinceText.exactOptional(),
  tag: tagText.exactOptional().meta({ description: "key=value" }),
  parent: idText.exactOptional(),
  around,
  total: flagText.exactOptional().meta({ description: "With their number. Default false." }),
  key: keyText.exactOptional().meta({ description: "Of the run; needs `pipeline`." }),
});

/** A page of runs. */
export interface RunsAnswer extends Document<"runs">, PageAnswer {
  readonly runs: readonly Run[];
  readonly total?: number;
}

/** A page of runs. */
export const runsAnswer: z.ZodType<RunsAnswer> = z
  .object({
    ...schemaField("runs"),
    runs: z.array(run),
    total: wholeValue.exactOptional().meta({
      description: "On all pages; absent unless asked for, and with `parent`, `since` or `tag`.",
    }),
    ...cursorFields,
  })
  .meta({ id: "Runs" });

/** Which finished runs; newest first. */
export interface HistoryQuery extends PlaceQuery {
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
  around,
});
