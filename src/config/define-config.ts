// What `millrace.config.ts` exports, as a type, and `defineConfig`, which gives it back marked. Only names and
// meanings are here; `schema.ts` checks what a file really says.

import type { EventSettings } from "../model/compile/event-settings.ts";
import type { PipelineDefinition } from "../model/definition.ts";
import type { NotifySettings } from "../model/compile/notify-settings.ts";
import type { ResourceSetting, UseList } from "../model/resource/resource.ts";
import type { RetryOptions } from "../model/retry.ts";
import type { ScheduleOptions } from "../model/schedule/schedule.ts";
import type { Duration } from "../std/duration.ts";

/** What the command needs of a pipeline; every value made by `pipeline` or `definePipeline` is one. */
export interface ConfiguredPipeline {
  readonly name: string;
  readonly definition: PipelineDefinition;
}

/** Levels of the log, the quietest last. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** Level of the log. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What `millrace.config.ts` exports, best through `defineConfig`. */
export interface MillraceConfig {
  /** Where the store is: `sqlite:PATH` or `memory:`; a relative path counts from the working folder. With
   *  options as a record. Default "sqlite:.millrace/store.db". */
  readonly store?: string | StoreConfig;
  /** Pipelines that can be named on the command line. Default none. */
  readonly pipelines?: readonly ConfiguredPipeline[];
  /** Values for `provided(name)`. Never stored. Default none. */
  readonly provide?: Readonly<Record<string, unknown>>;
  /** Lowest level of a stage's own log lines that is shown. Default "info". */
  readonly logLevel?: LogLevel;
  /** File that the lines form is appended to. Default none. */
  readonly logFile?: string;
  readonly worker?: WorkerConfig;
  readonly watchdog?: WatchdogConfig;
  readonly defaults?: DefaultsConfig;
  /** Resources by name: over what pipelines declare, or declared here for stages that name them. */
  readonly resources?: Readonly<Record<string, ResourceSetting>>;
  /** Schedules by name: when runs of these pipelines start by themselves, while `millrace serve` runs. What somebody
   *  sets or switches in the store stands over them. */
  readonly schedules?: Readonly<Record<string, ScheduleOptions>>;
  /** How many may read all events at once, which types are never stored, and where stored ones are written as lines. */
  readonly events?: EventSettings;
  /** Who is told when runs fail, pipelines recover, are blocked and unblocked, while `millrace serve` runs. Default:
   *  nobody. */
  readonly notify?: NotifySettings;
  readonly retention?: RetentionConfig;
  readonly health?: HealthConfig;
  readonly server?: ServerConfig;
}

/** Where `millrace serve` offers its API. */
export interface ServerConfig {
  /** Address or name. Anything but loopback needs `cert` and `key`, or `behindProxy`. Default: 127.0.0.1 and ::1. */
  readonly host?: string;
  /** 0 to 65535; 0: any that is free. Default 4400. */
  readonly port?: number;
  /** Path of a Unix socket, instead of host and port. Default none. */
  readonly socket?: string;
  /** Prefix of every path: `/millrace`. Default none. */
  readonly basePath?: string;
  /** Names it answers to besides its own, as a Host header says them: `millrace.example.org`. Default none. */
  readonly hosts?: readonly string[];
  /** A proxy before it ends TLS, and says in `X-Forwarded-For` who asks. Default false. */
  readonly behindProxy?: boolean;
  /** File of the certificate, PEM; a relative path counts from the working folder. Default: no TLS. */
  readonly cert?: string;
  /** File of its key, PEM. */
  readonly key?: string;
  /** File of the token. Default: `token` beside the store. */
  readonly tokenFile?: string;
  /** Also offers the API of an older system, over this pipeline and schedule. Default: it does not. */
  readonly compatible?: CompatibleConfig;
}

/** What the API of an older system is about. */
export interface CompatibleConfig {
  /** Name of a pipeline. */
  readonly pipeline: string;
  /** Name of a schedule. Default none: then its routes for schedules do not exist. */
  readonly schedule?: string;
}

/** How health is asked. */
export interface HealthConfig {
  /** Longest time of one stage's `health()` probe, 1 ms to 10 min. Default 5 s. */
  readonly probeTimeout?: Duration;
}

/** The store with options. */
export interface StoreConfig {
  /** As the plain text form. */
  readonly url?: string;
  /** Longest wait for a store that another process is writing to, 0 to 10 min. Default 5 s. */
  readonly busyTimeout?: Duration;
}

/** How a service watches what may hang. */
export interface WatchdogConfig {
  /** Time between two looks. Default 30 s. */
  readonly every?: Duration;
  /** A running run of which nothing is committed for so long is warned of. Default 10 min. */
  readonly silence?: Duration;
}

/** What one process works on at once, and how it keeps what it has claimed. */
export interface WorkerConfig {
  /** Runs that a worker works on at once, 1 to 256. Default 8. */
  readonly concurrency?: number;
  /** Time that running stages have when a worker or service is told to stop; what is not over then goes back to its
   *  queue. Whatever it is, the process has ended 8 s later. Default 20 s. */
  readonly stopAfter?: Duration;
  /** Attempts in flight in one process, 1 to 10,000. Default 32. */
  readonly attemptsInFlight?: number;
  /** Worker threads for stages with `runIn: "thread"`, 1 to 256. Default: one per processor. */
  readonly threads?: number;
  /** How long a claim on a run holds without being renewed. Longer where machines pause, shorter where work must move
   *  on soon after a crash; at least three heartbeats and 15 s. Default 30 s. */
  readonly lease?: Duration;
  /** Longest time between two renewals. Default 5 s. */
  readonly heartbeat?: Duration;
}

/** Settings of stages, under the pipeline's own and the stage's own. */
export interface DefaultsConfig {
  /** How failed attempts are repeated; a number is `attempts`. Default: one attempt. */
  readonly retry?: RetryOptions | number;
  /** Longest time of one attempt. Default none (commands: 1 h). */
  readonly timeout?: Duration;
  /** Resources that an attempt of every stage uses, as values or by the name of one that is declared. A stage or pipeline
   *  that says nothing takes them; `uses: []` takes none. Default none. */
  readonly uses?: UseList;
}

/** How long what has ended is kept; `millrace gc` deletes what is older. */
export interface RetentionConfig {
  /** Runs that succeeded, were skipped or cancelled, from their end on. Default 30 days. */
  readonly runs?: Duration;
  /** Events, of runs that are kept as well. Default 30 days. */
  readonly events?: Duration;
  /** Failed runs with everything that tells why, from their end on. Default 30 days. */
  readonly deadLetter?: Duration;
}

const configMark = Symbol.for("millrace.config");

/** Gives the configuration back, marked and frozen; editors check it on the way. */
export function defineConfig(config: MillraceConfig): MillraceConfig {
  return Object.freeze(Object.defineProperty({ ...config }, configMark, { value: true }));
}

/** True for a value made by `defineConfig` of this or another copy of the package. */
export function isConfig(value: unknown): boolean {
  return typeof value === "object" && value !== null && configMark in value;
}
