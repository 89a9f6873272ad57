// The effective settings: flag over environment over file over default, each with where it came from. All
// faults of the environment come together; a fault is never replaced by a default.

import {
  BUSY_TIMEOUT_MS_DEFAULT,
  CONCURRENCY_DEFAULT,
  DRAIN_MS_DEFAULT,
  HEARTBEAT_MS_DEFAULT,
  LEASE_MS_DEFAULT,
  PROBE_MS_DEFAULT,
  RETENTION_MS_DEFAULT,
  SILENT_RUN_MS_DEFAULT,
  SERVER_PORT_DEFAULT,
  STORE_URL_DEFAULT,
  WATCH_MS_DEFAULT,
  WORKER_RUNS_DEFAULT,
} from "../model/defaults.ts";
import type { DefinitionFault } from "../model/definition.ts";
import type { EventSettings } from "../model/compile/event-settings.ts";
import type { ResourceSettings } from "../model/compile/resource-settings.ts";
import type { ResourceUse } from "../model/resource/resource.ts";
import type { NotifySettings } from "../model/compile/notify-settings.ts";
import type { ScheduleSettings } from "../model/schedule/parse-schedule.ts";
import type { RetryPolicy } from "../model/retry.ts";
import { parseEnvironment, toVariable, type Environment } from "./environment.ts";
import { configInvalid, type LoadedConfig } from "./load.ts";
import type { LogLevel } from "./define-config.ts";
import type { CompatibleSettings } from "./parse-server.ts";
import type { ParsedConfig } from "./schema.ts";
import { SETTING_KEYS, type SettingName } from "./setting-keys.ts";

const NO_RESOURCES: ResourceSettings = {};
const NO_EVENT_SETTINGS: EventSettings = {};
const NO_HOSTS: readonly string[] = [];
const NO_SCHEDULES: ScheduleSettings = {};

/** Where a setting came from. */
export type Origin =
  | { readonly kind: "flag"; readonly name: string }
  | { readonly kind: "environment"; readonly name: string }
  | { readonly kind: "file"; readonly path: string; readonly key: string }
  | { readonly kind: "default" };

/** A value in force. */
export interface Setting<T> {
  readonly value: T;
  readonly origin: Origin;
}

/** Everything that can be set, resolved. Null: none. */
export interface Settings {
  readonly store: Setting<string>;
  readonly busyTimeoutMs: Setting<number>;
  readonly logLevel: Setting<LogLevel>;
  readonly logFile: Setting<string | null>;
  readonly attemptsInFlight: Setting<number>;
  /** Runs at once of one worker. */
  readonly slots: Setting<number>;
  /** Time that running stages have when a worker is told to stop. */
  readonly stopAfterMs: Setting<number>;
  readonly watchMs: Setting<number>;
  readonly silentRunMs: Setting<number>;
  /** Null: one per processor. */
  readonly threads: Setting<number | null>;
  /** Which of them go together the service knows. */
  readonly leaseMs: Setting<number>;
  readonly heartbeatMs: Setting<number>;
  /** Under a pipeline's own; null: the house's. */
  readonly retry: Setting<RetryPolicy | null>;
  readonly timeoutMs: Setting<number | null>;
  readonly uses: Setting<readonly ResourceUse[] | null>;
  /** By name, over what pipelines declare. */
  readonly resources: Setting<ResourceSettings>;
  readonly events: Setting<EventSettings>;
  /** By name. */
  readonly schedules: Setting<ScheduleSettings>;
  /** Null: nobody is told. */
  readonly notify: Setting<NotifySettings | null>;
  /** How long runs that ended well, events and failed runs are kept. */
  readonly keepRunsMs: Setting<number>;
  readonly keepEventsMs: Setting<number>;
  readonly keepFailedMs: Setting<number>;
  /** Longest time of a stage's probe. */
  readonly probeMs: Setting<number>;
  /** Null: both addresses of loopback. */
  readonly serverHost: Setting<string | null>;
  readonly serverPort: Setting<number>;
  /** Path of a Unix socket, instead of an address; null: none. */
  readonly serverSocket: Setting<string | null>;
  /** Prefix of every path; empty: none. */
  readonly serverBasePath: Setting<string>;
  /** Names besides its own. */
  readonly serverHosts: Setting<readonly string[]>;
  readonly serverBehindProxy: Setting<boolean>;
  /** Files of the certificate and its key; null: no TLS. */
  readonly serverCert: Setting<string | null>;
  readonly serverKey: Setting<string | null>;
  /** Null: beside the store. */
  readonly serverTokenFile: Setting<string | null>;
  /** Null: without the API of an older system. */
  readonly serverCompatible: Setting<CompatibleSettings | null>;
  /** As the file lists them, unchecked. */
  readonly pipelines: readonly unknown[];
  readonly provide: Readonly<Record<string, unknown>>;
  /** The configuration that was read, absolute; null: none. */
  readonly file: string | null;
}

/** What the command line says. Undefined: the flag is absent. */
export interface SettingFlags {
  readonly store?: string | undefined;
  readonly logFile?: string | undefined;
  readonly attemptsInFlight?: number | undefined;
}

/** The layers, the strongest first. */
export interface SettingSources {
  readonly flags: SettingFlags;
  readonly env: Environment;
  readonly file: LoadedConfig | undefined;
}

/** Puts the layers over each other. CONFIG_INVALID with all faults of the environment. */
export function resolveSettings(sources: SettingSources): Settings {
  const faults: DefinitionFault[] = [];
  const env = parseEnvironment(sources.env, faults);
  if (faults.length > 0) throw configInvalid("The environment", faults);
  const { flags, file } = sources;
  const pick = makePicker(env, file);
  return {
    store: pick("store", {
      flag: flagOf("--store", flags.store),
      fallback: STORE_URL_DEFAULT,
    }),
    busyTimeoutMs: pick("busyTimeoutMs", {
      fallback: BUSY_TIMEOUT_MS_DEFAULT,
    }),
    logLevel: pick("logLevel", { fallback: "info" }),
    logFile: pick("logFile", {
      flag: flagOf("--log-file", flags.logFile),
      fallback: null,
    }),
    attemptsInFlight: pick("attemptsInFlight", {
      flag: flagOf("-j", flags.attemptsInFlight),
      fallback: CONCURRENCY_DEFAULT,
    }),
    slots: pick("slots", { fallback: WORKER_RUNS_DEFAULT }),
    stopAfterMs: pick("stopAfterMs", { fallback: DRAIN_MS_DEFAULT }),
    watchMs: pick("watchMs", { fallback: WATCH_MS_DEFAULT }),
    silentRunMs: pick("silentRunMs", {
      fallback: SILENT_RUN_MS_DEFAULT,
    }),
    threads: pick("threads", { fallback: null }),
    leaseMs: pick("leaseMs", { fallback: LEASE_MS_DEFAULT }),
    heartbeatMs: pick("heartbeatMs", { fallback: HEARTBEAT_MS_DEFAULT }),
    retry: pick("retry", { fallback: null }),
    timeoutMs: pick("timeoutMs", { fallback: null }),
    uses: pick("uses", { fallback: null }),
    resources: pick("resources", { fallback: NO_RESOURCES }),
    events: pick("events", { fallback: NO_EVENT_SETTINGS }),
    schedules: pick("schedules", { fallback: NO_SCHEDULES }),
    notify: pick("notify", { fallback: null }),
    keepRunsMs: pick("keepRunsMs", { fallback: RETENTION_MS_DEFAULT }),
    keepEventsMs: pick("keepEventsMs", { fallback: RETENTION_MS_DEFAULT }),
    keepFailedMs: pick("keepFailedMs", {
      fallback: RETENTION_MS_DEFAULT,
    }),
    probeMs: pick("probeMs", { fallback: PROBE_MS_DEFAULT }),
    ...pickServer(pick),
    pipelines: file?.config.pipelines ?? [],
    provide: file?.config.provide ?? {},
    file: file?.path ?? null,
  };
}

/** An origin in words, for people: `flag --store`, `MILLRACE_STORE`, `millrace.config.ts: store`, `default`. */
export function describeOrigin(origin: Origin, showPath: (path: string) => string): string {
  switch (origin.kind) {
    case "flag":
      return `flag ${origin.name}`;
    case "environment":
      return origin.name;
    case "file":
      return `${showPath(origin.path)}: ${origin.key}`;
    case "default":
      return "default";
  }
}

interface Wish<T, F> {
  readonly flag?: Setting<T> | undefined;
  readonly fallback: T | F;
}

type Picker = <const K extends SettingName, F = never>(
  name: K,
  wish: Wish<NonNullable<ParsedConfig[K]>, F>,
) => Setting<NonNullable<ParsedConfig[K]> | F>;

/** What the command line says of the server goes over it where it is started: one verb alone has such flags. */
function pickServer(pick: Picker): Pick<Settings, Extract<keyof Settings, `server${string}`>> {
  return {
    serverHost: pick("serverHost", { fallback: null }),
    serverPort: pick("serverPort", { fallback: SERVER_PORT_DEFAULT }),
    serverSocket: pick("serverSocket", { fallback: null }),
    serverBasePath: pick("serverBasePath", { fallback: "" }),
    serverHosts: pick("serverHosts", { fallback: NO_HOSTS }),
    serverBehindProxy: pick("serverBehindProxy", { fallback: false }),
    serverCert: pick("serverCert", { fallback: null }),
    serverKey: pick("serverKey", { fallback: null }),
    serverTokenFile: pick("serverTokenFile", { fallback: null }),
    serverCompatible: pick("serverCompatible", { fallback: null }),
  };
}

function makePicker(env: ParsedConfig | undefined, file: LoadedConfig | undefined): Picker {
  return (name, { flag, fallback }) => {
    const key = SETTING_KEYS[name];
    if (flag !== undefined) return flag;
    const ofEnv = env?.[name];
    if (ofEnv !== undefined) {
      return { value: ofEnv, origin: { kind: "environment", name: toVariable(key) } };
    }
    const ofFile = file?.config[name];
    if (file !== undefined && ofFile !== undefined) {
      return { value: ofFile, origin: { kind: "file", path: file.path, key } };
    }
    return { value: fallback, origin: { kind: "default" } };
  };
}

function flagOf<T>(name: string, value: T | undefined): Setting<T> | undefined {
  return value === undefined ? undefined : { value, origin: { kind: "flag", name } };
}
