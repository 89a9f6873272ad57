// Health as documents show it: the verdict on a pipeline with its reasons, and how probes and resources answered.

import type { HealthVerdict } from "../../policy/health/health.ts";
import type { Finding } from "../../policy/watchdog/finding.ts";
import type { PipelineHealth } from "../health/read-health.ts";
import { toIso } from "./time-view.ts";

/** How one pipeline is doing. */
export interface PipelineHealthView {
  readonly pipeline: string;
  readonly verdict: HealthVerdict;
  /** Whether the verdict decides who may start it; absent: nobody knows. */
  readonly gate?: "off" | "health";
  /** The first is why; the others would be if it were not. Empty: it is healthy. */
  readonly reasons: readonly HealthReasonView[];
  /** What somebody said of the run that ended last. */
  readonly ack?: {
    /** Id of that run. */
    readonly run: string;
    readonly actor: string;
    readonly reason: string;
    readonly at: string;
  };
}

/** Why a verdict is what it is. */
export interface HealthReasonView {
  readonly text: string;
  /** Short names, the newest first. */
  readonly runs: readonly string[];
}

/** How something that stages depend on answered. */
export interface ProbeView {
  readonly status: "ok" | "fail";
  /** Of one that is not good. */
  readonly message?: string;
}

/** A stage that was asked. */
export interface StageProbeView extends ProbeView {
  readonly pipeline: string;
  readonly stage: string;
  /** Ms it took to answer, or until it was given up. */
  readonly tookMs: number;
}

/** A resource, over all its keys. */
export interface ResourceProbeView extends ProbeView {
  readonly resource: string;
}

/** Something that a watchdog has found, as it tells it. */
export interface HealthFinding {
  readonly rule: string;
  readonly subject: string;
  /** ISO 8601. */
  readonly since: string;
  readonly message: string;
  readonly next?: string;
}

/** Everything that health says. */
export interface HealthView {
  readonly schema: "millrace.health/1";
  /** True only where all below is good. */
  readonly healthy: boolean;
  readonly store: ProbeView;
  /** In order of name. */
  readonly pipelines: readonly PipelineHealthView[];
  /** Stages with a probe of the pipelines that this process knows. */
  readonly stages: readonly StageProbeView[];
  /** Those that are declared or were used. */
  readonly resources: readonly ResourceProbeView[];
  /** What a watchdog of this process has found. */
  readonly findings: readonly HealthFinding[];
}

/** The view of what a watchdog found. */
export function toFindingView({ rule, subject, sinceMs, message, next }: Finding): HealthFinding {
  const view = { rule, subject, since: toIso(sinceMs), message };
  return next === null ? view : { ...view, next };
}

/** The view of one pipeline. */
export function toHealthView(
  health: PipelineHealth,
  gate?: PipelineHealthView["gate"],
): PipelineHealthView {
  const { pipeline, verdict, reasons, acknowledgement } = health;
  const view = { pipeline, verdict, ...(gate === undefined ? {} : { gate }), reasons };
  if (acknowledgement === null) return view;
  const { run, actor, reason, atMs } = acknowledgement;
  return { ...view, ack: { run, actor, reason, at: toIso(atMs) } };
}
