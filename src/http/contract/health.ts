// Health, status and snapshot: how pipelines are doing, where they stand, and all of it at a glance.

import * as z from "zod";
import type { RunState } from "../../model/run.ts";
import { schemaField, type Document } from "./document.ts";
import { cursorFields, flagText, nameText, reasonText, type PageAnswer } from "./reading.ts";
import {
  counts,
  failure,
  numbersValue,
  run,
  timeValue,
  wholeValue,
  type Counts,
  type Failure,
  type Run,
} from "./run.ts";

const VERDICTS = ["healthy", "degraded", "unstable", "blocked"] as const;
type Verdict = (typeof VERDICTS)[number];

/** How one pipeline is doing. */
export interface PipelineHealth {
  readonly pipeline: string;
  readonly verdict: Verdict;
  /** Whether it decides who may start the pipeline; absent: the process does not know it. */
  readonly gate?: "off" | "health";
  readonly reasons: readonly { readonly text: string; readonly runs: readonly string[] }[];
  readonly ack?: {
    readonly run: string;
    readonly actor: string;
    readonly reason: string;
    readonly at: string;
  };
}

const verdictFields = {
  verdict: z.enum(VERDICTS),
  gate: z.enum(["off", "health"]).exactOptional(),
  reasons: z.array(z.object({ text: z.string(), runs: z.array(z.string()) })),
  ack: z
    .object({ run: z.string(), actor: z.string(), reason: z.string(), at: timeValue })
    .exactOptional(),
};

const pipelineHealth: z.ZodType<PipelineHealth> = z
  .object({ pipeline: z.string(), ...verdictFields })
  .meta({ id: "PipelineHealth" });

interface Probe {
  readonly status: "ok" | "fail";
  readonly message?: string;
}

const probeFields = { status: z.enum(["ok", "fail"]), message: z.string().exactOptional() };

/** Everything that health says. */
export interface HealthAnswer extends Document<"health"> {
  readonly healthy: boolean;
  readonly store: Probe;
  readonly pipelines: readonly PipelineHealth[];
  readonly stages: readonly (Probe & {
    readonly pipeline: string;
    readonly stage: string;
    readonly tookMs: number;
  })[];
  readonly resources: readonly (Probe & { readonly resource: string })[];
  readonly findings: readonly {
    readonly rule: string;
    readonly subject: string;
    readonly since: string;
    readonly message: string;
    readonly next?: string;
  }[];
}

/** Everything that health says. */
export const healthAnswer: z.ZodType<HealthAnswer> = z
  .object({
    ...schemaField("health"),
    healthy: z.boolean().meta({ description: "True only where all below is good." }),
    store: z.object(probeFields),
    pipelines: z.array(pipelineHealth),
    stages: z.array(
      z.object({
        ...probeFields,
        pipeline: z.string(),
        stage: z.string(),
        tookMs: z.number(),
      }),
    ),
    resources: z.array(z.object({ ...probeFields, resource: z.string() })),
    findings: z.array(
      z.object({
        rule: z.string(),
        subject: z.string(),
        since: timeValue,
        message: z.string(),
        next: z.string().exactOptional(),
      }),
    ),
  })
  .meta({ id: "Health" });

/** Whether stages are asked. */
export interface HealthQuery {
  readonly probes?: boolean;
}

/** Whether stages are asked. */
export const healthQuery: z.ZodType<HealthQuery> = z.strictObject({
  probes: flagText.exactOptional().meta({ description: "Whether stages are asked. Default true." }),
});

/** Why it may go on. */
export interface AckBody {
  readonly reason: string;
}

/** Why it may go on. */
export const ackBody: z.ZodType<AckBody> = z.strictObject({ reason: reasonText });

/** What became of it. */
export interface AckAnswer extends Document<"health-ack"> {
  readonly changed: boolean;
  readonly health: PipelineHealth;
}

/** What became of it. */
export const ackAnswer: z.ZodType<AckAnswer> = z
  .object({
    ...schemaField("health-ack"),
    changed: z.boolean().meta({ description: "False: nothing blocked it." }),
    health: pipelineHealth,
  })
  .meta({ id: "Acknowledged" });

type EndState = Extract<RunState, "succeeded" | "failed" | "skipped" | "cancelled">;
const endState: z.ZodType<EndState> = z.enum(["succeeded", "failed", "skipped", "cancelled"]);

/** Where one pipeline stands. */
export interface PipelineStatus {
  readonly pipeline: string;
  readonly status: "idle" | "running" | "stopped" | "error";
  readonly gate?: "off" | "health";
  readonly running: number;
  readonly queued: number;
  readonly waiting: number;
  readonly runs: readonly Run[];
  readonly last?: {
    readonly id: string;
    readonly name: string;
    readonly state: EndState;
    readonly endedAt: string;
    readonly reason?: string;
  };
  readonly health: Omit<PipelineHealth, "pipeline">;
}

const pipelineStatus: z.ZodType<PipelineStatus> = z
  .object({
    pipeline: z.string(),
    status: z.enum(["idle", "running", "stopped", "error"]),
    gate: z.enum(["off", "health"]).exactOptional(),
    running: wholeValue,
    queued: wholeValue,
    waiting: wholeValue,
    runs: z.array(run),
    last: z
      .object({
        id: z.string(),
        name: z.string(),
        state: endState,
        endedAt: timeValue,
        reason: z.string().exactOptional(),
      })
      .exactOptional(),
    health: z.object(verdictFields),
  })
  .meta({ id: "PipelineStatus" });

/** Where pipelines stand. */
export interface StatusAnswer extends Document<"status"> {
  readonly at: string;
  readonly pipelines: readonly PipelineStatus[];
}

/** Where pipelines stand. */
export const statusAnswer: z.ZodType<StatusAnswer> = z
  .object({ ...schemaField("status"), at: timeValue, pipelines: z.array(pipelineStatus) })
  .meta({ id: "Status" });

/** What became of one run. */
export interface Summary {
  readonly id: string;
  readonly name: string;
  readonly pipeline: string;
  readonly definition: string;
  readonly state: EndState;
  readonly reason?: string;
  readonly error?: Failure;
  readonly forced?: true;
  readonly override?: string;
  readonly key?: string;
  readonly source: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly parent?: string;
  readonly batch?: string;
  readonly queuedAt: string;
  readonly startedAt?: string;
  readonly endedAt: string;
  readonly durationMs?: number;
  readonly stages: {
    readonly run: number;
    readonly failed: number;
    readonly skipped: number;
    readonly cancelled: number;
    readonly upstreamFailed: number;
    readonly reused: number;
    readonly ranNames: readonly string[];
    readonly failedNames: readonly string[];
  };
  readonly items: Counts;
  readonly retries: number;
  readonly resumes: number;
  readonly crashes: number;
  readonly warnings: number;
  readonly waitedMs: Readonly<Record<string, number>>;
  readonly metrics: Readonly<Record<string, number>>;
}

const summary: z.ZodType<Summary> = z
  .object({
    id: z.string(),
    name: z.string(),
    pipeline: z.string(),
    definition: z.string(),
    state: endState,
    reason: z.string().exactOptional(),
    error: failure.exactOptional(),
    forced: z.literal(true).exactOptional(),
    override: z.string().exactOptional(),
    key: z.string().exactOptional(),
    source: z.string(),
    tags: z.record(z.string(), z.string()),
    parent: z.string().exactOptional(),
    batch: z.string().exactOptional(),
    queuedAt: timeValue,
    startedAt: timeValue.exactOptional(),
    endedAt: timeValue,
    durationMs: wholeValue.exactOptional(),
    stages: z.object({
      run: wholeValue,
      failed: wholeValue,
      skipped: wholeValue,
      cancelled: wholeValue,
      upstreamFailed: wholeValue,
      reused: wholeValue,
      ranNames: z.array(z.string()),
      failedNames: z.array(z.string()),
    }),
    items: counts,
    retries: wholeValue,
    resumes: wholeValue,
    crashes: wholeValue,
    warnings: wholeValue,
    waitedMs: numbersValue,
    metrics: numbersValue,
  })
  .meta({ id: "Summary", description: "What became of one run." });

/** Everything at a glance. */
export interface SnapshotAnswer extends Document<"snapshot"> {
  readonly at: string;
  readonly seq: number;
  readonly pipelines: readonly PipelineStatus[];
  readonly running: readonly Run[];
  readonly recent: readonly Summary[];
  readonly waiting: readonly {
    readonly run: string;
    readonly name: string;
    readonly pipeline: string;
    readonly text: string;
    readonly expectedAt?: string;
  }[];
  readonly next: readonly {
    readonly schedule: string;
    readonly pipeline?: string;
    readonly at: string;
  }[];
}

/** Everything at a glance. */
export const snapshotAnswer: z.ZodType<SnapshotAnswer> = z
  .object({
    ...schemaField("snapshot"),
    at: timeValue,
    seq: wholeValue.meta({ description: "Follow events after this number." }),
    pipelines: z.array(pipelineStatus),
    running: z.array(run),
    recent: z.array(summary),
    waiting: z.array(
      z.object({
        run: z.string(),
        name: z.string(),
        pipeline: z.string(),
        text: z.string(),
        expectedAt: timeValue.exactOptional(),
      }),
    ),
    next: z.array(
      z.object({ schedule: z.string(), pipeline: z.string().exactOptional(), at: timeValue }),
    ),
  })
  .meta({ id: "Snapshot" });

/** Of which pipeline. */
export interface SnapshotQuery {
  readonly pipeline?: string;
}

/** Of which pipeline: nothing means all. */
export const snapshotQuery: z.ZodType<SnapshotQuery> = z.strictObject({
  pipeline: nameText.exactOptional(),
});

/** A page of summaries. */
export interface HistoryAnswer extends Document<"history">, PageAnswer {
  readonly summaries: readonly Summary[];
}

/** A page of summaries of finished runs. */
export const historyAnswer: z.ZodType<HistoryAnswer> = z
  .object({
    ...schemaField("history"),
    summaries: z.array(summary),
    ...cursorFields,
  })
  .meta({ id: "History" });
