// Events: facts in the order of the store, and what programs outside report; log lines of a run.

import * as z from "zod";
import { EPHEMERAL_EVENT_TYPES, STORED_EVENT_TYPES, type EventType } from "../../model/event.ts";
import { schemaField, type Document } from "./document.ts";
import { idText, keyText, listText, nameText, sinceText, wholeText, wordsText } from "./reading.ts";
import { timeValue, wholeValue } from "./run.ts";

const TYPES: readonly EventType[] = [...STORED_EVENT_TYPES, ...EPHEMERAL_EVENT_TYPES];

/** One fact. */
export interface Event {
  readonly seq: number;
  readonly runSeq: number;
  readonly at: string;
  readonly type: EventType;
  /** Id of the run; null: it concerns none. */
  readonly run: string | null;
  readonly stage?: string;
  readonly item?: string;
  readonly attempt?: number;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** One fact. */
export const event: z.ZodType<Event> = z
  .object({
    seq: wholeValue.meta({ description: "Number in the store, rising." }),
    runSeq: wholeValue,
    at: timeValue,
    type: z.enum(TYPES),
    run: z.string().nullable().meta({ description: "Id; null: it concerns none." }),
    stage: z.string().exactOptional(),
    item: z.string().exactOptional(),
    attempt: wholeValue.exactOptional(),
    data: z.record(z.string(), z.unknown()).exactOptional(),
  })
  .meta({ id: "Event", description: "One fact; its fields: docs/reference/events.md." });

const SEQ_MAX = 9_007_199_254_740_991;

/** Which events: after a number in order, or before one, the newest first. */
export interface EventsQuery {
  readonly after?: number;
  readonly before?: number;
  readonly since?: string;
  readonly types?: readonly string[];
  readonly limit?: number;
}

const eventFields = {
  after: wholeText(0, SEQ_MAX).exactOptional(),
  before: wholeText(0, SEQ_MAX).exactOptional().meta({
    description: "The newest first. 0: the newest there are.",
  }),
  since: sinceText.exactOptional(),
  types: wordsText.exactOptional().meta({ description: "run.failed, or a noun such as stage.*" }),
  limit: wholeText(1, 500).exactOptional().meta({ description: "1 to 500. Default 20." }),
};

/** Which events. */
export const eventsQuery: z.ZodType<EventsQuery> = z
  .strictObject(eventFields)
  .refine((query) => query.after === undefined || query.before === undefined, {
    path: ["before"],
    message: "expected without after",
  });

/** A page of events. */
export interface EventsAnswer extends Document<"events"> {
  readonly events: readonly Event[];
  /** To be passed on as `after`, or as `before`. Absent: there is no more now. */
  readonly next?: number;
}

/** A page of events. */
export const eventsAnswer: z.ZodType<EventsAnswer> = z
  .object({
    ...schemaField("events"),
    events: z.array(event),
    next: wholeValue.exactOptional().meta({
      description: "To be passed on as `after`, or as `before`; absent: no more now.",
    }),
  })
  .meta({ id: "Events" });

const LEVELS = ["debug", "info", "warn", "error"] as const;
/** Level of a log line. */
export type LogLevel = (typeof LEVELS)[number];

/** Which log lines of a run. */
export interface LogsQuery {
  readonly stage?: string;
  readonly item?: string;
  readonly attempt?: number;
  readonly level?: readonly LogLevel[];
  readonly grep?: string;
  readonly after?: number;
  readonly tail?: number;
  readonly limit?: number;
}

/** Which log lines of a run. */
export const logsQuery: z.ZodType<LogsQuery> = z
  .strictObject({
    stage: nameText.exactOptional(),
    item: keyText.exactOptional(),
    attempt: wholeText(1, 1_000_000).exactOptional(),
    level: listText(LEVELS).exactOptional(),
    grep: z.string().min(1).max(500).exactOptional().meta({ description: "Literal text." }),
    after: wholeText(0, SEQ_MAX).exactOptional(),
    tail: wholeText(1, 500).exactOptional().meta({ description: "The last lines instead." }),
    limit: wholeText(1, 500).exactOptional(),
  })
  .refine((query) => query.after === undefined || query.tail === undefined, {
    path: ["tail"],
    message: "expected without after",
  });

/** One log line. */
export interface LogLine {
  readonly seq: number;
  readonly at: string;
  readonly run: string;
  readonly stage: string;
  readonly item?: string;
  readonly attempt: number;
  readonly level: LogLevel;
  readonly text: string;
}

/** A page of log lines. */
export interface LogsAnswer extends Document<"logs"> {
  readonly lines: readonly LogLine[];
  /** To be passed on as `after`; absent: there is no more now. It may stand with no line: the search went so far. */
  readonly next?: number;
}

/** A page of log lines. */
export const logsAnswer: z.ZodType<LogsAnswer> = z
  .object({
    ...schemaField("logs"),
    lines: z.array(
      z.object({
        seq: wholeValue,
        at: timeValue,
        run: z.string(),
        stage: z.string(),
        item: z.string().exactOptional(),
        attempt: wholeValue,
        level: z.enum(LEVELS),
        text: z.string(),
      }),
    ),
    next: wholeValue.exactOptional(),
  })
  .meta({ id: "Logs" });

/** What a program outside tells. */
export interface ReportBody {
  readonly name: string;
  readonly source: string;
  readonly at?: string;
  readonly message?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly run?: string;
  readonly key?: string;
}

/** What a program outside tells. */
export const reportBody: z.ZodType<ReportBody> = z.strictObject({
  name: z.string().meta({ description: "In past tense: order.shipped" }),
  source: z.string(),
  at: z.string().exactOptional().meta({ description: "ISO 8601; without zone: UTC." }),
  message: z.string().exactOptional(),
  data: z.record(z.string(), z.unknown()).exactOptional(),
  run: idText.exactOptional(),
  key: keyText.exactOptional().meta({ description: "A repeat with the same key changes nothing." }),
});

/** What became of it. */
export interface ReportAnswer extends Document<"event"> {
  readonly created: boolean;
  readonly seq?: number;
}

/** What became of it. */
export const reportAnswer: z.ZodType<ReportAnswer> = z
  .object({
    ...schemaField("event"),
    created: z.boolean().meta({ description: "False: this was reported before." }),
    seq: wholeValue.exactOptional(),
  })
  .meta({ id: "Reported" });
