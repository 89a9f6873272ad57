// The door "millrace": define pipelines, run them in memory or durably. Names only.

export { input, provided, required } from "../model/stage/need.ts";
export type {
  Arriving,
  Input,
  MapValue,
  Need,
  Needs,
  Provided,
  RequiredNeed,
  StageValue,
} from "../model/stage/need.ts";
export { command, map, stage } from "../model/stage/stage.ts";
export type {
  CacheOptions,
  CommandOptions,
  MapOptions,
  StageOptions,
  VerifyFiles,
  RecordFunction,
  VerifyFunction,
} from "../model/stage/stage-options.ts";
export { resource } from "../service/resources/resource.ts";
export type {
  BreakerOptions,
  KeyedBreakerOptions,
  QuotaOptions,
  Resource,
  ResourceAt,
  ResourceChange,
  ResourceOptions,
  ResourceSetting,
  ResourceStats,
  ResourceUse,
  UseList,
  UseOptions,
} from "../model/resource/resource.ts";
export { Secret, secret } from "../model/secret.ts";
export { skip } from "../model/outcome.ts";
export type {
  ErrorClass,
  Failure,
  ItemOutcome,
  Settled,
  Skip,
  StageState,
} from "../model/outcome.ts";
export type { RetryMatch, RetryOptions, RetryRule } from "../model/retry.ts";
export { classifyText } from "../policy/classify/classify-text.ts";
export { hostKey } from "../policy/host-key.ts";
export type { TriggerRule } from "../model/stage/trigger.ts";
export type { ArtifactReference, Context } from "../model/context.ts";
export { AbortReason } from "../model/context.ts";
export type { EventType, MillraceEvent } from "../model/event.ts";
export type { EventArchiveSettings, EventSettings } from "../model/compile/event-settings.ts";
export { readEventArchive } from "../service/events/archive/read-event-archive.ts";
export type { EventArchivePage } from "../service/events/archive/archive-page.ts";
export type { EventArchiveQuery } from "../service/events/archive/read-event-archive.ts";
export { toCompatibleEvent } from "../service/events/compatible-event.ts";
export type { CompatibleEvent } from "../service/events/compatible-event.ts";
export type { ReadEventsOptions } from "../service/events/read-events.ts";
export type { EventReport, RecordedEvent } from "../service/events/record-event.ts";
export type { EventView } from "../service/views/event-view.ts";
export type { RunRecord, RunState } from "../model/run.ts";
export {
  ERROR_CODES,
  isMillraceError,
  MillraceError,
  PermanentError,
  ThrottledError,
  TransientError,
} from "../model/errors.ts";
export type { ErrorCode } from "../model/errors.ts";
export { definePipeline, pipeline } from "../service/pipeline.ts";
export type {
  MemoryBatchOptions,
  Pipeline,
  PipelineByIdOptions,
  PipelineOptions,
  PipelineSettings,
  StageById,
} from "../service/pipeline.ts";
export type { MemoryRunOptions } from "../service/memory-run.ts";
export { Millrace, openMillrace } from "../service/millrace.ts";
export type { OpenOptions } from "../service/mill/open-options.ts";
export { each } from "../service/each.ts";
export type { EachOptions, EachTolerantOptions } from "../service/each.ts";
export type { WorkOptions, WorkSummary } from "../service/worker/worker.ts";
export type { RunHandle } from "../service/run-handle.ts";
export type { RunError, RunResult, StageResult } from "../service/run-result.ts";
export type { StartOptions } from "../service/commands/start-run.ts";
export type { ResumeOptions } from "../service/commands/resume-run.ts";
export type { RequeueBatchOptions, RequeueWishes } from "../service/commands/requeue-run.ts";
export type { RerunOptions } from "../service/commands/rerun-run.ts";
export type {
  EnqueuedRun,
  EnqueueEntry,
  EnqueueOptions,
  EnqueueOutcome,
} from "../service/commands/enqueue-runs.ts";
export type { CancelRunsOptions } from "../service/selection/cancel-runs.ts";
export type { PurgeOptions } from "../service/selection/purge-runs.ts";
export type { RetryFailedOptions, RetryOutcome } from "../service/selection/retry-failed.ts";
export type { SelectionOutcome, SkippedRun } from "../service/selection/run-selection.ts";
export type { ImportOptions, ImportOutcome } from "../service/queue-import/import-runs.ts";
export type { PipelineStats, QueueStats } from "../service/queries/queue/queue-stats.ts";
export type { ResourceListQuery, ResourcePage } from "../service/resources/list-resources.ts";
export type { DurationView, PipelineDurations } from "../service/rollups/read-durations.ts";
export type {
  LevelSeries,
  RateQuery,
  RateSeries,
  ResourceSeries,
  SeriesQuery,
} from "../service/rollups/read-series.ts";
export type { ResourceView } from "../service/views/resource-view.ts";
export type { ProbeContext } from "../model/stage/stage-options.ts";
export type { HealthAckOptions, HealthAckOutcome } from "../service/health/acknowledge-health.ts";
export type { HealthOptions } from "../service/health/show-health.ts";
export type { SnapshotOptions } from "../service/health/read-snapshot.ts";
export type { StatusOptions } from "../service/health/read-status.ts";
export type { HistoryPage, HistoryQuery } from "../service/history/list-history.ts";
export type {
  HealthFinding,
  HealthView,
  PipelineHealthView,
} from "../service/views/health-view.ts";
export type {
  PipelineStatus,
  PipelineStatusView,
  SnapshotView,
  StatusView,
} from "../service/views/status-view.ts";
export type { RunSummaryView } from "../service/views/summary-view.ts";
export type {
  ResourceOrderOptions,
  SetResourceOptions,
  TripResourceOptions,
} from "../service/resources/set-resource.ts";
export type {
  MissedRule,
  Overlap,
  ScheduleField,
  ScheduleOptions,
} from "../model/schedule/schedule.ts";
export type { TickDecision } from "../model/schedule/schedule-state.ts";
export type { ScheduleHandle } from "../service/schedules/schedule-handle.ts";
export type {
  NextQuery,
  NextTicks,
  ScheduleListQuery,
  SchedulePage,
  TickPage,
} from "../service/schedules/list-schedules.ts";
export type { ScheduleChange, ScheduleOrderOptions } from "../service/schedules/set-schedule.ts";
export type { TriggerOptions } from "../service/schedules/trigger-schedule.ts";
export type {
  BackfillOptions,
  BackfillOutcome,
  BackfillTick,
} from "../service/schedules/backfill-schedule.ts";
export type { RunReport, RunReported } from "../service/schedules/report-run.ts";
export type { ScheduleView, TickView } from "../service/views/schedule-view.ts";
export type { CancelOptions, CancelOutcome } from "../service/commands/cancel-run.ts";
export type { Explanation } from "../service/explain.ts";
export type { Blocker } from "../model/blocker.ts";
export { defineConfig } from "../config/define-config.ts";
export type { MillraceConfig } from "../config/define-config.ts";
export type { Duration } from "../std/duration.ts";
export type { Schema } from "../model/schema.ts";
