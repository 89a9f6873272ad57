// A report of a run: what it did and where its time went, and the form it is wanted in. And what failed over all runs,
// by kind.

import * as z from "zod";
import { ERROR_CLASSES, type ErrorClass } from "../../model/outcome.ts";
import { schemaField, type Document } from "./document.ts";
import { idText, nameText, pageFields, reasonText, sinceText } from "./reading.ts";
import {
  failure,
  numbersValue,
  run,
  timeValue,
  wholeValue,
  type Failure,
  type Run,
} from "./run.ts";
import { stage, type Stage } from "./stage.ts";

const FORMATS = ["json", "html", "md", "csv"] as const;
type Format = (typeof FORMATS)[number];

/** In which form. */
export interface ReportQuery {
  readonly format?: Format;
}

/** In which form. */
export const reportQuery: z.ZodType<ReportQuery> = z.strictObject({
  format: z.enum(FORMATS).exactOptional().meta({
    description: "Default json. Any other comes as a file to save: a page, Markdown, or a table.",
  }),
});

/** How long the items of a map stage took, ms. */
export interface ItemTimes {
  readonly stage: string;
  readonly count: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** A report of a run. */
export interface ReportAnswer extends Document<"report"> {
  readonly run: Run;
  readonly stages: readonly Stage[];
  readonly percentiles: readonly ItemTimes[];
  readonly waitedMs: Readonly<Record<string, number>>;
  readonly failures: readonly Failure[];
  readonly otherFailures: number;
}

/** A report of a run. */
export const reportAnswer: z.ZodType<ReportAnswer> = z
  .object({
    ...schemaField("report"),
    run,
    stages: z.array(stage),
    percentiles: z.array(
      z.object({
        stage: z.string(),
        count: wholeValue,
        p50Ms: z.number(),
        p95Ms: z.number(),
        p99Ms: z.number(),
        maxMs: z.number(),
      }),
    ),
    waitedMs: numbersValue,
    failures: z.array(failure),
    otherFailures: wholeValue,
  })
  .meta({ id: "Report" });

/** Which failures. */
export interface FailuresQuery {
  readonly pipeline?: string;
  readonly since?: string;
  readonly limit?: number;
}

/** Which failures. */
export const failuresQuery: z.ZodType<FailuresQuery> = z.strictObject({
  pipeline: nameText.exactOptional(),
  since: sinceText.exactOptional(),
  limit: pageFields.limit,
});

/** A kind of failure in a path. */
export interface FingerprintParams {
  readonly fingerprint: string;
}

/** A kind of failure in a path. */
export const fingerprintParams: z.ZodType<FingerprintParams> = z.strictObject({
  fingerprint: idText,
});

/** Where failures of one kind happen. */
export interface FailurePlace {
  readonly pipeline: string;
  readonly stage?: string;
  readonly count: number;
}

/** One failure. */
export interface FailureSight {
  readonly run: string;
  readonly name: string;
  readonly pipeline: string;
  readonly stage?: string;
  readonly item?: string;
  readonly at: string;
  readonly message: string;
  readonly attempts?: number;
}

const STATUSES = ["new", "known", "muted", "returned"] as const;

/** Failures of one kind. */
export interface FailureGroup {
  readonly fingerprint: string;
  readonly class: ErrorClass;
  readonly code?: string;
  readonly message: string;
  readonly pipeline: string;
  readonly stage?: string;
  readonly status: (typeof STATUSES)[number];
  readonly mute?: { readonly at: string; readonly actor: string; readonly reason: string };
  readonly firstAt: string;
  readonly lastAt: string;
  readonly trend: readonly number[];
  readonly count: number;
  readonly runs: number;
  readonly items: number;
  readonly places: readonly FailurePlace[];
  readonly sample: FailureSight;
}

const place: z.ZodType<FailurePlace> = z.object({
  pipeline: z.string(),
  stage: z.string().exactOptional().meta({ description: "Absent: the run itself." }),
  count: wholeValue,
});

const sight: z.ZodType<FailureSight> = z
  .object({
    run: z.string(),
    name: z.string().meta({ description: "Short name of the run." }),
    pipeline: z.string(),
    stage: z.string().exactOptional(),
    item: z.string().exactOptional(),
    at: timeValue,
    message: z.string(),
    attempts: wholeValue.exactOptional(),
  })
  .meta({ id: "FailureSight", description: "One failure, told by what failed itself." });

const group: z.ZodType<FailureGroup> = z
  .object({
    fingerprint: z.string(),
    class: z.enum(ERROR_CLASSES),
    code: z.string().exactOptional(),
    message: z.string(),
    pipeline: z.string().meta({ description: "Where most of them happen." }),
    stage: z.string().exactOptional(),
    status: z.enum(STATUSES).meta({
      description:
        "new: first seen within 24 h; returned: muted, and come since of a definition that the mute does not know.",
    }),
    mute: z.object({ at: timeValue, actor: z.string(), reason: z.string() }).exactOptional(),
    firstAt: timeValue.meta({ description: "Ever, as far as is remembered." }),
    lastAt: timeValue,
    trend: z.array(wholeValue).meta({
      description: "Failures in each of the last 24 hours of UTC, the running one last.",
    }),
    count: wholeValue.meta({
      description: "Of items, of stages without items, and of runs that failed by themselves.",
    }),
    runs: wholeValue,
    items: wholeValue,
    places: z.array(place).meta({ description: "The most frequent first, at most 20." }),
    sample: sight,
  })
  .meta({ id: "FailureGroup", description: "Failures of one kind." });

/** How far back was looked. */
interface Reach {
  readonly complete: boolean;
  readonly from?: string;
}

const reachFields = {
  complete: z.boolean().meta({ description: "False: older failures were not looked at." }),
  from: timeValue.exactOptional().meta({ description: "All after this was looked at." }),
};

/** Kinds of failures, seen last first. */
export interface FailuresAnswer extends Document<"failures">, Reach {
  readonly total: number;
  readonly groups: readonly FailureGroup[];
}

/** Kinds of failures. */
export const failuresAnswer: z.ZodType<FailuresAnswer> = z
  .object({
    ...schemaField("failures"),
    ...reachFields,
    total: wholeValue.meta({ description: "Groups; `groups` holds the first of them." }),
    groups: z.array(group),
  })
  .meta({ id: "Failures" });

/** One kind of failure. */
export interface FailureGroupAnswer extends Document<"failure-group">, Reach {
  readonly group: FailureGroup;
  readonly failures: readonly FailureSight[];
}

/** One kind of failure. */
export const failureGroupAnswer: z.ZodType<FailureGroupAnswer> = z
  .object({
    ...schemaField("failure-group"),
    ...reachFields,
    group,
    failures: z.array(sight).meta({ description: "Newest first." }),
  })
  .meta({ id: "FailureKind" });

/** Why it shall call for nobody. */
export interface MuteBody {
  readonly reason: string;
}

/** Why it shall call for nobody. */
export const muteBody: z.ZodType<MuteBody> = z.strictObject({ reason: reasonText });

/** Why it shall call for attention again. */
export interface UnmuteBody {
  readonly reason?: string;
}

/** Why it shall call for attention again. */
export const unmuteBody: z.ZodType<UnmuteBody> = z.strictObject({
  reason: reasonText.exactOptional(),
});

/** What became of it. */
export interface MuteAnswer extends Document<"failure-mute"> {
  readonly changed: boolean;
  readonly group?: FailureGroup;
}

/** What became of it. */
export const muteAnswer: z.ZodType<MuteAnswer> = z
  .object({
    ...schemaField("failure-mute"),
    changed: z.boolean().meta({ description: "False: it was so already." }),
    group: group.exactOptional().meta({ description: "Absent: it is too long ago." }),
  })
  .meta({ id: "FailureMuted" });
