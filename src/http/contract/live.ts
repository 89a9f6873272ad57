// The live feed: what a client may ask over its socket, and what it is told there. Each frame is one JSON text.
// The entries of a topic have the shapes that the routes answer: a run of the feed is a run of GET /runs.

import * as z from "zod";
import { event, type Event } from "./event.ts";
import { keyText, nameText, wholeText, wordsText } from "./reading.ts";
import { timeValue, wholeValue } from "./run.ts";

const SEQ_MAX = 9_007_199_254_740_991;

/** Which events or lines of a topic. */
export interface LiveFilter {
  readonly run?: string;
  readonly types?: readonly string[];
  readonly stage?: string;
  readonly item?: string;
  readonly levels?: readonly ("debug" | "info" | "warn" | "error")[];
  readonly grep?: string;
  readonly complete?: boolean;
}

/** What a client sends. */
export type LiveRequest =
  | {
      readonly type: "subscribe";
      readonly topic: string;
      readonly after?: number;
      readonly filter?: LiveFilter;
    }
  | { readonly type: "unsubscribe"; readonly topic: string }
  | { readonly type: "ping" };

const topic = z
  .string()
  .min(1)
  .max(500)
  .meta({
    description:
      "overview, runs, run:RUN, queue, resources, schedules, failures, workers, logs:RUN, events, or " +
      "events:run=RUN&types=run.*,stage.failed&complete=true.",
  });

const filter: z.ZodType<LiveFilter> = z.strictObject({
  run: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/)
    .exactOptional(),
  types: z.array(z.string().min(1).max(100)).min(1).max(100).exactOptional(),
  stage: nameText.exactOptional().meta({ description: "Lines: of this stage." }),
  item: keyText.exactOptional().meta({ description: "Lines: of the item with this key." }),
  levels: z
    .array(z.enum(["debug", "info", "warn", "error"]))
    .min(1)
    .max(4)
    .exactOptional(),
  grep: z.string().min(1).max(500).exactOptional().meta({ description: "Lines: literal text." }),
  complete: z.boolean().exactOptional().meta({
    description: "Events: every one, however many there are. Default false.",
  }),
});

/** What a client sends. */
export const liveRequest: z.ZodType<LiveRequest> = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("subscribe"),
    topic,
    after: z.number().int().min(0).max(SEQ_MAX).exactOptional().meta({
      description: "The client's cursor: `seq` or `to` of the last frame of this topic.",
    }),
    filter: filter.exactOptional(),
  }),
  z.strictObject({ type: z.literal("unsubscribe"), topic }),
  z.strictObject({ type: z.literal("ping") }),
]);

/** The states of one map stage. */
export interface LiveItems {
  readonly stage: string;
  readonly total: number | null;
  readonly from: number;
  readonly count: number;
  readonly states: string;
}

/** One change of an entry. */
export interface LiveChange {
  readonly id: string;
  /** Null: it is gone. */
  readonly value?: unknown;
}

/** What a client is told. */
export type LiveFrame =
  | {
      readonly type: "snapshot";
      readonly topic: string;
      readonly seq: number;
      readonly data: {
        readonly entries: Readonly<Record<string, unknown>>;
        readonly items?: readonly LiveItems[];
      };
    }
  | {
      readonly type: "delta";
      readonly topic: string;
      readonly from: number;
      readonly to: number;
      readonly changes: readonly LiveChange[];
      readonly items?: readonly {
        readonly stage: string;
        readonly total: number | null;
        readonly states: readonly number[];
      }[];
    }
  | {
      readonly type: "events";
      readonly topic: string;
      readonly from: number;
      readonly to: number;
      readonly events: readonly (Event | Readonly<Record<string, unknown>>)[];
      readonly leftOut?: number;
      readonly history?: true;
    }
  | {
      readonly type: "gap";
      readonly topic: string;
      readonly missed: number;
      readonly from: number;
      readonly to: number;
    }
  | { readonly type: "done"; readonly topic: string; readonly seq: number }
  | { readonly type: "summaries"; readonly topic: string; readonly data?: unknown }
  | { readonly type: "beat"; readonly seq: number; readonly at: string }
  | { readonly type: "subscribed" | "unsubscribed"; readonly topic: string }
  | { readonly type: "pong" }
  | {
      readonly type: "error";
      readonly topic?: string;
      readonly code: string;
      readonly message: string;
    };

const cursors = { from: wholeValue, to: wholeValue };

const items: z.ZodType<readonly LiveItems[]> = z.array(
  z.object({
    stage: z.string(),
    total: wholeValue.nullable(),
    from: wholeValue,
    count: wholeValue,
    states: z.string().meta({ description: "As of GET runs/{run}/item-states." }),
  }),
);

/** What a client is told. */
export const liveFrame: z.ZodType<LiveFrame> = z
  .discriminatedUnion("type", [
    z.strictObject({
      type: z.literal("snapshot"),
      topic: z.string(),
      seq: wholeValue.meta({ description: "Cursor: it is at least as new as this event." }),
      data: z.strictObject({
        entries: z.record(z.string(), z.unknown()),
        items: items.exactOptional(),
      }),
    }),
    z.strictObject({
      type: z.literal("delta"),
      topic: z.string(),
      ...cursors,
      changes: z.array(z.strictObject({ id: z.string(), value: z.unknown().optional() })),
      items: z
        .array(
          z.strictObject({
            stage: z.string(),
            total: wholeValue.nullable(),
            states: z.array(wholeValue).meta({ description: "Place, byte, place, byte." }),
          }),
        )
        .exactOptional(),
    }),
    z.strictObject({
      type: z.literal("events"),
      topic: z.string(),
      ...cursors,
      events: z.array(z.union([event, z.record(z.string(), z.unknown())])),
      leftOut: wholeValue.exactOptional().meta({ description: "So many more there were." }),
      history: z.literal(true).exactOptional(),
    }),
    z.strictObject({ type: z.literal("gap"), topic: z.string(), missed: wholeValue, ...cursors }),
    z.strictObject({ type: z.literal("done"), topic: z.string(), seq: wholeValue }),
    z.strictObject({
      type: z.literal("summaries"),
      topic: z.string(),
      data: z.unknown().optional(),
    }),
    z.strictObject({ type: z.literal("beat"), seq: wholeValue, at: timeValue }),
    z.strictObject({ type: z.enum(["subscribed", "unsubscribed"]), topic: z.string() }),
    z.strictObject({ type: z.literal("pong") }),
    z.strictObject({
      type: z.literal("error"),
      topic: z.string().exactOptional(),
      code: z.string(),
      message: z.string(),
    }),
  ])
  .meta({ id: "LiveFrame", description: "One frame of the live feed." });

/** With what number a socket is closed. */
export const LIVE_CLOSE_CODES = {
  /** The server stops. */
  stopping: 1001,
  /** Too many frames, or frames that are no text. */
  policy: 1008,
  /** The store cannot be read, or the engine has stopped. */
  unavailable: 1011,
  /** The client reads nothing. */
  slow: 1013,
  /** The login has ended. */
  signedOut: 4401,
} as const;

/** What may stand in the address of a socket. */
export interface LiveQuery {
  /** Cursor to go on from. Default: the last events. */
  readonly after?: string;
  /** `compatible`: events in the words of an older system. */
  readonly form?: "plain" | "compatible";
}

/** What may stand in the address of a socket. */
export const liveQuery: z.ZodType<LiveQuery> = z.strictObject({
  after: z
    .string()
    .regex(/^\d{1,16}$/)
    .exactOptional(),
  form: z.enum(["plain", "compatible"]).exactOptional(),
});

/** What a stream is of. */
export interface StreamQuery {
  readonly after?: number;
  readonly types?: readonly string[];
  readonly form?: "plain" | "compatible";
}

/** What a stream is of. */
export const streamQuery: z.ZodType<StreamQuery> = z.strictObject({
  after: wholeText(0, SEQ_MAX).exactOptional().meta({
    description: "Goes on after this number, as `Last-Event-ID` does. Default: the last 100.",
  }),
  types: wordsText.exactOptional().meta({ description: "run.failed, or a noun such as stage.*" }),
  form: z.enum(["plain", "compatible"]).exactOptional().meta({
    description: "compatible: events in the words of an older system.",
  }),
});
