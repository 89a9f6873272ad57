// What a configuration may say, as a JSON Schema (2020-12) for editors and checks. The compiler holds its keys against
// the types of `defineConfig`; a test holds every key and bound against the parser, in both directions.

import {
  CONCURRENCY_MAX,
  DURATION_MS_MAX,
  PROBE_MS_MAX,
  RESOURCE_USES_MAX,
  THREADS_MAX,
  WORKER_RUNS_MAX,
} from "../../model/limits.ts";
import {
  LOG_LEVELS,
  type CompatibleConfig,
  type DefaultsConfig,
  type HealthConfig,
  type MillraceConfig,
  type RetentionConfig,
  type ServerConfig,
  type StoreConfig,
  type WatchdogConfig,
  type WorkerConfig,
} from "../define-config.ts";
import {
  byName,
  duration,
  flag,
  oneOfWords,
  record,
  text,
  texts,
  whole,
  type JsonSchema,
} from "./json-schema.ts";
import {
  EVENTS_SCHEMA,
  NOTIFY_SCHEMA,
  RESOURCE_SCHEMA,
  RETRY_SCHEMA,
  SCHEDULES_SCHEMA,
} from "./part-schemas.ts";

/** Characters of a path or address. */
const PATH_CHARS_MAX = 4_096;

const STORE = "sqlite:PATH or memory:. Default sqlite:.millrace/store.db";

const WORKER = record<WorkerConfig>("What one process works on", {
  concurrency: whole("Runs at once of a worker. Default 8", 1, WORKER_RUNS_MAX),
  stopAfter: duration("Time that running stages have when it is told to stop. Default 20 s"),
  attemptsInFlight: whole("Attempts at once in a process. Default 32", 1, CONCURRENCY_MAX),
  threads: whole("Worker threads. Default: one per processor", 1, THREADS_MAX),
  lease: duration("How long a claim holds unrenewed. Default 30 s"),
  heartbeat: duration("Longest time between two renewals. Default 5 s"),
});

const WATCHDOG = record<WatchdogConfig>("How what may hang is watched", {
  every: duration("Time between two looks, at least 100 ms. Default 30 s"),
  silence: duration("Silence of a run that is warned of, at least 100 ms. Default 10 min"),
});

const DEFAULTS = record<DefaultsConfig>("Settings of stages, under their own", {
  retry: RETRY_SCHEMA,
  timeout: duration("Longest time of one attempt. Default none (commands: 1 h)"),
  uses: {
    type: "array",
    description: "Resources of stages that name none: names, or values made by resource(...)",
    maxItems: RESOURCE_USES_MAX,
  },
});

const RETENTION = record<RetentionConfig>("How long what has ended is kept", {
  runs: duration("Runs that succeeded, were skipped or cancelled. Default 30 days"),
  events: duration("Events. Default 30 days"),
  deadLetter: duration("Failed runs. Default 30 days"),
});

const HEALTH = record<HealthConfig>("How health is asked", {
  probeTimeout: duration(`Longest time of a probe, at most ${PROBE_MS_MAX} ms. Default 5 s`),
});

const SERVER = record<ServerConfig>("Where the API is offered", {
  host: text("Address or name. Default: 127.0.0.1 and ::1", 253),
  port: whole("0: any that is free. Default 4400", 0, 65_535),
  socket: text("Path of a Unix socket, instead of host and port", PATH_CHARS_MAX),
  basePath: text("Prefix of every path", PATH_CHARS_MAX),
  hosts: texts("Names it answers to besides its own", 100),
  behindProxy: flag("A proxy before it ends TLS. Default false"),
  cert: text("File of the certificate, PEM", PATH_CHARS_MAX),
  key: text("File of its key, PEM", PATH_CHARS_MAX),
  tokenFile: text("File of the token. Default: beside the store", PATH_CHARS_MAX),
  compatible: record<CompatibleConfig>(
    "The API of an older system. Default: without it",
    {
      pipeline: text("Name of the pipeline it is about", 200),
      schedule: text("Name of its schedule. Default none", 200),
    },
    ["pipeline"],
  ),
});

/** The schema of what `millrace.config.ts` exports. */
export const FILE_SCHEMA: JsonSchema & Readonly<Record<"$schema" | "title" | "$defs", unknown>> = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "millrace configuration",
  ...record<MillraceConfig>("What millrace.config.ts exports by default", {
    store: {
      description: STORE,
      anyOf: [
        text(STORE, PATH_CHARS_MAX),
        record<StoreConfig>("With options", {
          url: text(STORE, PATH_CHARS_MAX),
          busyTimeout: duration(
            "Longest wait for a store that is busy, at most 10 min. Default 5 s",
          ),
        }),
      ],
    },
    pipelines: { type: "array", description: "Pipelines, as made by pipeline(...): code" },
    provide: { type: "object", description: "Values for provided(name): code, never stored" },
    logLevel: oneOfWords('Lowest level of log lines. Default "info"', LOG_LEVELS),
    logFile: text("File that the lines form is appended to. Default none", PATH_CHARS_MAX),
    worker: WORKER,
    watchdog: WATCHDOG,
    defaults: DEFAULTS,
    resources: byName("Limits, quotas and breakers, by name", RESOURCE_SCHEMA),
    schedules: SCHEDULES_SCHEMA,
    events: EVENTS_SCHEMA,
    notify: NOTIFY_SCHEMA,
    retention: RETENTION,
    health: HEALTH,
    server: SERVER,
  }),
  $defs: {
    duration: {
      description: "Whole milliseconds, or a number with a unit; at most 366 days",
      anyOf: [
        { type: "integer", minimum: 0, maximum: DURATION_MS_MAX },
        { type: "string", pattern: "^\\d{1,16}(?:\\.\\d{1,16})?(?:ms|s|m|h|d)$" },
      ],
    },
  },
};
