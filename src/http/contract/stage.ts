// A run in detail: its stages, attempts and items, with what went in and came out.

import * as z from "zod";
import { STAGE_STATES, type StageState, type Via } from "../../model/outcome.ts";
import { schemaField, type Document } from "./document.ts";
import {
  cursorFields,
  flagText,
  keyText,
  listText,
  pageFields,
  type PageAnswer,
  type PlaceQuery,
} from "./reading.ts";
import {
  blocker,
  counts,
  failure,
  namedRun,
  numbersValue,
  run,
  timeValue,
  wholeValue,
  type Blocker,
  type Counts,
  type Failure,
  type Run,
  type RunName,
} from "./run.ts";

const state: z.ZodType<StageState> = z.enum(STAGE_STATES);
const via: z.ZodType<Via> = z.enum(["run", "cache", "checkpoint"]);

/** A stored value; without `value` it is undefined, or too large, which `bytes` then tells. */
export interface Value {
  readonly value?: unknown;
  readonly bytes?: number;
}

/** A stored value. */
const value: z.ZodType<Value> = z
  .object({ value: z.unknown().optional(), bytes: wholeValue.exactOptional() })
  .meta({
    id: "Value",
    description: "A stored value; without `value` it is undefined, or too large: see `bytes`.",
  });

/** One stage of a run. */
export interface Stage {
  readonly stage: string;
  readonly state: StageState;
  readonly via?: Via;
  readonly attempts: number;
  readonly attemptsMax?: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly durationMs?: number;
  readonly waitedMs: Readonly<Record<string, number>>;
  readonly items?: Counts;
  readonly blocker?: Blocker;
  readonly error?: Failure;
  readonly reason?: string;
  readonly critical?: boolean;
  readonly cpuMs?: number;
  readonly peakBytes?: number;
}

const stageFields = {
  stage: z.string(),
  state,
  via: via.exactOptional(),
  attempts: wholeValue,
  attemptsMax: wholeValue.exactOptional(),
  startedAt: timeValue.exactOptional(),
  endedAt: timeValue.exactOptional(),
  durationMs: wholeValue.exactOptional(),
  waitedMs: numbersValue,
  items: counts.exactOptional(),
  blocker: blocker.exactOptional(),
  error: failure.exactOptional(),
  reason: z.string().exactOptional(),
  critical: z.boolean().exactOptional(),
  cpuMs: wholeValue.exactOptional(),
  peakBytes: wholeValue.exactOptional(),
};

/** One stage of a run. */
export const stage: z.ZodType<Stage> = z
  .object(stageFields)
  .meta({ id: "Stage", description: "One stage of a run." });

/** One attempt. */
export interface Attempt {
  readonly n: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly class?: string;
  readonly message?: string;
  readonly delayMs?: number;
}

const attempt: z.ZodType<Attempt> = z
  .object({
    n: wholeValue.meta({ description: "From 1." }),
    startedAt: timeValue.exactOptional(),
    endedAt: timeValue.exactOptional(),
    class: z.string().exactOptional(),
    message: z.string().exactOptional(),
    delayMs: wholeValue.exactOptional(),
  })
  .meta({ id: "Attempt" });

/** One item of a map stage. */
export interface Item {
  readonly key: string;
  readonly index: number;
  readonly state: StageState;
  readonly via?: Via;
  readonly attempts: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly durationMs?: number;
  readonly waitedMs: Readonly<Record<string, number>>;
  readonly output?: unknown;
  readonly error?: Failure;
  readonly blocker?: Blocker;
  readonly reason?: string;
}

const itemFields = {
  key: z.string(),
  index: z.number().int(),
  state,
  via: via.exactOptional(),
  startedAt: timeValue.exactOptional(),
  endedAt: timeValue.exactOptional(),
  durationMs: wholeValue.exactOptional(),
  waitedMs: numbersValue,
  error: failure.exactOptional(),
  blocker: blocker.exactOptional(),
  reason: z.string().exactOptional(),
};

const item: z.ZodType<Item> = z
  .object({ ...itemFields, attempts: wholeValue, output: z.unknown().optional() })
  .meta({ id: "Item", description: "One item of a map stage." });

/** A run and its stages. */
export interface RunAnswer extends Document<"show"> {
  readonly run: Run;
  readonly stages: readonly Stage[];
  readonly failures: readonly Failure[];
  /** Failed items whose kind was not read. */
  readonly unread: number;
  readonly lineage: { readonly parent?: RunName; readonly children: readonly RunName[] };
  readonly input: Value;
}

/** A run and its stages. */
export const runAnswer: z.ZodType<RunAnswer> = z
  .object({
    ...schemaField("show"),
    run,
    stages: z.array(stage),
    failures: z.array(failure),
    unread: wholeValue.meta({ description: "Failed items whose kind was not read." }),
    lineage: z.object({ parent: namedRun.exactOptional(), children: z.array(namedRun) }),
    input: value,
  })
  .meta({ id: "RunDetail" });

/** A stage with its attempts. */
export interface StageAnswer extends Document<"show"> {
  readonly run: Run;
  readonly stage: Stage & {
    readonly history: readonly Attempt[];
    readonly blockers: readonly Blocker[];
    readonly input: Readonly<Record<string, Value>>;
    readonly output: Value;
  };
  readonly failures: readonly Failure[];
}

/** A stage with its attempts. */
export const stageAnswer: z.ZodType<StageAnswer> = z
  .object({
    ...schemaField("show"),
    run,
    stage: z.object({
      ...stageFields,
      history: z.array(attempt),
      blockers: z.array(blocker),
      input: z.record(z.string(), value),
      output: value,
    }),
    failures: z.array(failure),
  })
  .meta({ id: "StageDetail" });

/** An item with its attempts. */
export interface ItemAnswer extends Document<"show"> {
  readonly run: Run;
  readonly stage: string;
  readonly item: Omit<Item, "attempts" | "output"> & {
    readonly attempts: readonly Attempt[];
    readonly attemptsMax: number;
    readonly input: Value;
    readonly output: Value;
    readonly blockers: readonly Blocker[];
  };
}

/** An item with its attempts. */
export const itemAnswer: z.ZodType<ItemAnswer> = z
  .object({
    ...schemaField("show"),
    run,
    stage: z.string(),
    item: z.object({
      ...itemFields,
      attempts: z.array(attempt),
      attemptsMax: wholeValue,
      input: value,
      output: value,
      blockers: z.array(blocker),
    }),
  })
  .meta({ id: "ItemDetail" });

/** Which items; in item order. */
export interface ItemsQuery extends PlaceQuery {
  readonly state?: readonly StageState[];
  readonly outputs?: boolean;
}

/** Which items. */
export const itemsQuery: z.ZodType<ItemsQuery> = z.strictObject({
  ...pageFields,
  state: listText(STAGE_STATES).exactOptional(),
  around: keyText.exactOptional().meta({
    description: "Key of an item: the page that holds it; without `cursor`.",
  }),
  outputs: flagText.exactOptional().meta({ description: "Each with its output. Default false." }),
});

/** A page of items. */
export interface ItemsAnswer extends Document<"items">, PageAnswer {
  readonly run: Run;
  readonly stage: string;
  readonly counts: Counts;
  readonly items: readonly Item[];
}

/** A page of items. */
export const itemsAnswer: z.ZodType<ItemsAnswer> = z
  .object({
    ...schemaField("items"),
    run,
    stage: z.string(),
    counts,
    items: z.array(item),
    ...cursorFields,
  })
  .meta({ id: "Items" });
