// What a configuration may say, and its check: unknown keys are refused with a suggestion, numbers have
// bounds, and all faults come together. Keys whose feature does not exist yet are named as such rather than
// passed over. Written without a schema library, so that starting up costs nothing for it.

import { OptionReader, isPlainRecord, describeValue } from "../model/compile/option-reader.ts";
import { parseRetry, RETRY_POLICY_DEFAULT } from "../model/compile/parse-retry.ts";
import { parseUseList } from "../model/compile/parse-uses.ts";
import { checkEventSettings, type EventSettings } from "../model/compile/event-settings.ts";
import {
  checkResourceSettings,
  type ResourceSettings,
} from "../model/compile/resource-settings.ts";
import { checkNotifySettings, type NotifySettings } from "../model/compile/notify-settings.ts";
import { checkScheduleSettings, type ScheduleSettings } from "../model/schedule/parse-schedule.ts";
import type { DefinitionFault } from "../model/definition.ts";
import { CONCURRENCY_MAX, PROBE_MS_MAX, THREADS_MAX, WORKER_RUNS_MAX } from "../model/limits.ts";
import type { ResourceUse } from "../model/resource/resource.ts";
import type { RetryPolicy } from "../model/retry.ts";
import { parseServer, type ParsedServer } from "./parse-server.ts";
import { LOG_LEVELS, type LogLevel } from "./define-config.ts";

/** A configuration that was read. Undefined: the key is absent. */
export interface ParsedConfig extends ParsedServer {
  readonly store: string | undefined;
  readonly busyTimeoutMs: number | undefined;
  readonly pipelines: readonly unknown[];
  readonly provide: Readonly<Record<string, unknown>>;
  readonly logLevel: LogLevel | undefined;
  readonly logFile: string | undefined;
  readonly attemptsInFlight: number | undefined;
  readonly threads: number | undefined;
  /** Runs at once of one worker. */
  readonly slots: number | undefined;
  readonly stopAfterMs: number | undefined;
  readonly watchMs: number | undefined;
  readonly silentRunMs: number | undefined;
  readonly leaseMs: number | undefined;
  readonly heartbeatMs: number | undefined;
  readonly retry: RetryPolicy | undefined;
  readonly timeoutMs: number | undefined;
  readonly uses: readonly ResourceUse[] | undefined;
  readonly resources: ResourceSettings | undefined;
  readonly events: EventSettings | undefined;
  readonly schedules: ScheduleSettings | undefined;
  readonly notify: NotifySettings | undefined;
  readonly keepRunsMs: number | undefined;
  readonly keepEventsMs: number | undefined;
  readonly keepFailedMs: number | undefined;
  readonly probeMs: number | undefined;
}

/** The longest wait for a busy store: 10 min in ms. */
const BUSY_TIMEOUT_MS_MAX = 600_000;

const TOP_KEYS = [
  "store",
  "pipelines",
  "provide",
  "logLevel",
  "logFile",
  "worker",
  "watchdog",
  "defaults",
  "resources",
  "events",
  "schedules",
  "notify",
  "retention",
  "health",
  "server",
];

const WORKER_KEYS = [
  "concurrency",
  "stopAfter",
  "attemptsInFlight",
  "threads",
  "lease",
  "heartbeat",
];

/** The watchdog looks no more often, ms. */
const WATCH_MS_MIN = 100;

/** Keys that the documents name and that come with a later feature, by section. */
const LATER_KEYS: Readonly<Record<string, readonly string[]>> = {
  "": ["dryRun"],
  worker: ["processes"],
  store: ["inlineBytes", "blobs"],
};

/** Reads what a configuration file exports; every fault goes to `faults`, with its path. */
export function parseConfig(raw: unknown, faults: DefinitionFault[]): ParsedConfig | undefined {
  if (!isPlainRecord(raw)) {
    faults.push({ path: "", message: `expected a record of settings; got ${describeValue(raw)}` });
    return undefined;
  }
  const found: DefinitionFault[] = [];
  const config = readSections(raw, found);
  // The reader knows only records under a name; the top has none.
  faults.push(...found.map((fault) => ({ ...fault, path: fault.path.replace(/^\./, "") })));
  return config;
}

function readSections(
  raw: Readonly<Record<string, unknown>>,
  faults: DefinitionFault[],
): ParsedConfig {
  const reader = new SectionReader(raw, "", faults);
  reader.refuseAllBut(TOP_KEYS);
  const worker = reader.section("worker", WORKER_KEYS);
  const watchdog = reader.section("watchdog", ["every", "silence"]);
  const defaults = reader.section("defaults", ["retry", "timeout", "uses"]);
  const retention = reader.section("retention", ["runs", "events", "deadLetter"]);
  return {
    ...parseStore(reader),
    pipelines: parsePipelines(reader),
    provide: parseProvide(reader),
    logLevel: reader.options.oneOf("logLevel", LOG_LEVELS),
    logFile: reader.options.text("logFile", 4_096),
    attemptsInFlight: worker?.options.number("attemptsInFlight", { min: 1, max: CONCURRENCY_MAX }),
    threads: worker?.options.number("threads", { min: 1, max: THREADS_MAX }),
    slots: worker?.options.number("concurrency", { min: 1, max: WORKER_RUNS_MAX }),
    stopAfterMs: worker?.options.durationMs("stopAfter", 0),
    watchMs: watchdog?.options.durationMs("every", WATCH_MS_MIN),
    silentRunMs: watchdog?.options.durationMs("silence", WATCH_MS_MIN),
    leaseMs: worker?.options.durationMs("lease"),
    heartbeatMs: worker?.options.durationMs("heartbeat"),
    retry:
      defaults?.options.has("retry") === true
        ? parseRetry(defaults.options, RETRY_POLICY_DEFAULT)
        : undefined,
    timeoutMs: defaults?.options.durationMs("timeout"),
    uses: parseDefaultUses(defaults?.options),
    resources: parseResources(raw["resources"], faults),
    events: parseEvents(raw["events"], faults),
    schedules: checkSchedules(raw["schedules"], faults),
    notify: checkNotify(raw["notify"], faults),
    keepRunsMs: retention?.options.durationMs("runs"),
    keepEventsMs: retention?.options.durationMs("events"),
    keepFailedMs: retention?.options.durationMs("deadLetter"),
    probeMs: parseProbeTime(reader),
    ...parseServer(raw["server"], faults),
  };
}

/** One section of a configuration, with the keys that come later told apart from the unknown ones. */
class SectionReader {
  readonly options: OptionReader;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #path: string;
  readonly #faults: DefinitionFault[];

  constructor(values: Readonly<Record<string, unknown>>, path: string, faults: DefinitionFault[]) {
    const later = LATER_KEYS[path] ?? [];
    const kept = Object.entries(values).filter(([key]) => !later.includes(key));
    this.options = new OptionReader(Object.fromEntries(kept), path, faults);
    this.#values = values;
    this.#path = path;
    this.#faults = faults;
  }

  refuseAllBut(known: readonly string[]): void {
    this.options.refuseUnknown(known);
    for (const key of Object.keys(this.#values)) {
      if (LATER_KEYS[this.#path]?.includes(key) !== true) continue;
      const path = this.#path === "" ? key : `${this.#path}.${key}`;
      this.#faults.push({ path, message: `"${key}" is not available yet`, hint: "remove it" });
    }
  }

  section(key: string, known: readonly string[]): SectionReader | undefined {
    const value = this.#values[key];
    if (!isPlainRecord(value)) {
      this.options.nested(key);
      return undefined;
    }
    const reader = new SectionReader(value, key, this.#faults);
    reader.refuseAllBut(known);
    return reader;
  }
}

function parseStore(reader: SectionReader): Pick<ParsedConfig, "store" | "busyTimeoutMs"> {
  const raw = reader.options.raw("store");
  if (raw === undefined || typeof raw === "string") {
    return { store: reader.options.text("store", 4_096), busyTimeoutMs: undefined };
  }
  const section = reader.section("store", ["url", "busyTimeout"]);
  const busyTimeoutMs = section?.options.durationMs("busyTimeout", 0);
  if (busyTimeoutMs !== undefined && busyTimeoutMs > BUSY_TIMEOUT_MS_MAX) {
    section?.options.fault("busyTimeout", `expected 0 ms to 10 min; got ${busyTimeoutMs} ms`);
  }
  return { store: section?.options.text("url", 4_096), busyTimeoutMs };
}

/** Resources of all stages: no function, since each stage has needs of its own. */
function parseDefaultUses(options: OptionReader | undefined): readonly ResourceUse[] | undefined {
  const raw = options?.raw("uses");
  if (raw === undefined) return undefined;
  if (Array.isArray(raw)) return parseUseList(raw, (message) => options?.fault("uses", message));
  options?.fault("uses", `expected a list of resources; got ${describeValue(raw)}`);
  return undefined;
}

function parseProbeTime(reader: SectionReader): number | undefined {
  const health = reader.section("health", ["probeTimeout"]);
  const probeMs = health?.options.durationMs("probeTimeout");
  if (probeMs !== undefined && probeMs > PROBE_MS_MAX)
    health?.options.fault("probeTimeout", `expected 1 ms to 10 min; got ${probeMs} ms`);
  return probeMs;
}

function parseResources(raw: unknown, faults: DefinitionFault[]): ResourceSettings | undefined {
  return raw !== undefined && checkResourceSettings(raw, faults) ? raw : undefined;
}

function checkSchedules(raw: unknown, faults: DefinitionFault[]): ScheduleSettings | undefined {
  return raw !== undefined && checkScheduleSettings(raw, faults) ? raw : undefined;
}

function parseEvents(raw: unknown, faults: DefinitionFault[]): EventSettings | undefined {
  return raw !== undefined && checkEventSettings(raw, faults) ? raw : undefined;
}

function checkNotify(raw: unknown, faults: DefinitionFault[]): NotifySettings | undefined {
  return raw !== undefined && checkNotifySettings(raw, faults) ? raw : undefined;
}

function parsePipelines(reader: SectionReader): readonly unknown[] {
  const raw = reader.options.raw("pipelines");
  if (raw === undefined) return [];
  if (Array.isArray(raw)) return [...raw];
  reader.options.fault("pipelines", `expected a list of pipelines; got ${describeValue(raw)}`);
  return [];
}

function parseProvide(reader: SectionReader): Readonly<Record<string, unknown>> {
  const raw = reader.options.raw("provide");
  if (raw === undefined) return {};
  if (isPlainRecord(raw)) return raw;
  reader.options.fault("provide", `expected a record of values; got ${describeValue(raw)}`);
  return {};
}
