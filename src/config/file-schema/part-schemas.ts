// The parts of a configuration that are records of records: resources, schedules, events, notices
// and retries.

import {
  NOTICE_FORMS,
  NOTICE_TYPES,
  type NotifySettings,
  type NotifyTarget,
} from "../../model/compile/notify-settings.ts";
import type { EventArchiveSettings, EventSettings } from "../../model/compile/event-settings.ts";
import {
  ATTEMPTS_MAX,
  BREAKER_PROBES_MAX,
  CONCURRENCY_MAX,
  CRON_CHARS_MAX,
  EVENT_FILE_BYTES_MAX,
  EVENT_FILE_BYTES_MIN,
  NAME_CHARS_MAX,
  NOTICE_TARGETS_MAX,
  PRIORITY_MAX,
  QUOTA_UNITS_MAX,
  REASON_CHARS_MAX,
  RESOURCE_QUOTAS_MAX,
  RETRY_RULES_MAX,
  SCHEDULES_MAX,
  SUBSCRIBERS_MAX,
  TAG_CHARS_MAX,
  TAGS_MAX,
} from "../../model/limits.ts";
import { ERROR_CLASSES } from "../../model/outcome.ts";
import type {
  BreakerOptions,
  KeyedBreakerOptions,
  QuotaOptions,
  ResourceSetting,
} from "../../model/resource/resource.ts";
import type { RetryOptions } from "../../model/retry.ts";
import { MISSED_RULES, OVERLAPS, type ScheduleOptions } from "../../model/schedule/schedule.ts";
import {
  byName,
  duration,
  flag,
  fraction,
  oneOfWords,
  record,
  text,
  texts,
  whole,
  type JsonSchema,
  type Properties,
} from "./json-schema.ts";

/** Calls that are counted at most. */
const CALLS_MAX = 1_000_000;

const ERROR_CLASS_LIST: JsonSchema = {
  type: "array",
  items: { enum: ERROR_CLASSES },
  maxItems: ERROR_CLASSES.length,
};

const RETRY_RECORD = record<RetryOptions>("How failed attempts are repeated", {
  attempts: whole("Tries in all, the first included. Default 1", 1, ATTEMPTS_MAX),
  initialDelay: duration("Wait after the first failure. Default 1 s"),
  factor: fraction("Growth of the wait per failure. Default 2", 1, 1_000),
  maxDelay: {
    description: 'Cap of one wait, or "none" (then factor is 1). Default 60 s',
    anyOf: [{ const: "none" }, { $ref: "#/$defs/duration" }],
  },
  jitter: {
    description: 'Default "full": anything from 0 to the computed wait',
    anyOf: [{ enum: ["full", "equal", "decorrelated", "none"] }, fraction("A share", 0, 1)],
  },
  retryOn: {
    description: "Classes that are worth another attempt",
    anyOf: [{ const: "conservative" }, ERROR_CLASS_LIST],
  },
  rules: {
    type: "array",
    description: "Rules for single kinds of failure: { match, then }",
    items: { type: "object", required: ["match", "then"] },
    maxItems: RETRY_RULES_MAX,
  },
});

/** `retry`: a number is `attempts`. */
export const RETRY_SCHEMA: JsonSchema = {
  description: "How failed attempts are repeated; a number is attempts. Default: one attempt",
  anyOf: [whole("Tries in all", 1, ATTEMPTS_MAX), RETRY_RECORD],
};

const QUOTA = record<Omit<QuotaOptions, "cost">>(
  "Units per time, with bursts",
  {
    rate: fraction("Units per `per`", 1e-6, QUOTA_UNITS_MAX),
    per: duration("Time in which `rate` units come"),
    burst: whole("Units at once. Default: rate, rounded up", 1, QUOTA_UNITS_MAX),
    maxWait: duration("A use that would wait longer fails. Default none"),
  },
  ["rate", "per"],
);

/** What is not counted is said for all keys together. */
const BREAKER: Properties<Omit<BreakerOptions, "exclude">> = {
  threshold: whole("Failures in a row that open it. Default 5", 1, CALLS_MAX),
  recovery: duration("How long the first opening lasts. Default 30 s"),
  ratio: record<NonNullable<BreakerOptions["ratio"]>>(
    "Opens it at this share of failures, too. Default off",
    {
      of: { type: "number", exclusiveMinimum: 0, maximum: 1 },
      window: duration("In which calls are counted, at least 10 ms"),
      minCalls: whole("Calls below which it does not judge", 1, CALLS_MAX),
    },
    ["of", "window", "minCalls"],
  ),
  probes: whole("Probes at once while half open. Default 1", 1, BREAKER_PROBES_MAX),
  successes: whole("Successes that close it. Default 1", 1, CALLS_MAX),
  whenOpen: oneOfWords("What callers meet while it is open", ["wait", "fail"]),
};

/** One resource. */
export const RESOURCE_SCHEMA: JsonSchema = record<ResourceSetting>("A resource", {
  limit: whole("Holders at once, over all processes. Default none", 1, CONCURRENCY_MAX),
  limits: byName("Limits of keys", whole("Holders at once", 1, CONCURRENCY_MAX)),
  quota: {
    description: "One quota or several; a use is granted by all or by none",
    anyOf: [QUOTA, { type: "array", items: QUOTA, minItems: 1, maxItems: RESOURCE_QUOTAS_MAX }],
  },
  breaker: record<KeyedBreakerOptions>("When it is not called for a while", {
    ...BREAKER,
    exclude: { ...ERROR_CLASS_LIST, description: "Classes that are not counted; or a function" },
    keys: byName(
      "Breakers of keys",
      record<Omit<BreakerOptions, "exclude">>("Breaker of one key", BREAKER),
    ),
  }),
  retryBudget: record<NonNullable<ResourceSetting["retryBudget"]>>("Bounds retries. Default off", {
    share: fraction("Share of first tries. Default 0.2", 0, 100),
    minPerSecond: fraction("Always allowed. Default 1", 0, CALLS_MAX),
  }),
});

/** All schedules. */
export const SCHEDULES_SCHEMA: JsonSchema = {
  ...byName("When runs start by themselves, by name", {
    ...record<ScheduleOptions>(
      "A schedule: one of cron, every and dailyAt",
      {
        pipeline: text("Name of the pipeline", NAME_CHARS_MAX),
        cron: text("Five fields, or six with seconds first", CRON_CHARS_MAX),
        every: duration("1 s to 24 h, or whole days"),
        dailyAt: {
          type: "string",
          description: '"HH:MM", every day',
          pattern: "^(?:[01]\\d|2[0-3]):[0-5]\\d$",
        },
        timezone: text('IANA name. Default "UTC"', NAME_CHARS_MAX),
        input: { description: "Input of each run, as JSON. Default none" },
        overlap: oneOfWords('While a run has not ended. Default "skip"', OVERLAPS),
        missed: oneOfWords('Of ticks nobody was there for. Default "run-once"', MISSED_RULES),
        jitter: duration("Ticks come later by a part of this, at most 1 h. Default 0"),
        priority: whole("Of each run. Default 0", -PRIORITY_MAX, PRIORITY_MAX),
        tags: {
          ...byName("Of each run", { type: "string", maxLength: TAG_CHARS_MAX }),
          maxProperties: TAGS_MAX - 1,
        },
        deadline: duration("Longest active time of each run. Default none"),
        enabled: flag("Until somebody says otherwise. Default true"),
        description: text("For people", REASON_CHARS_MAX),
      },
      ["pipeline"],
    ),
    oneOf: [{ required: ["cron"] }, { required: ["every"] }, { required: ["dailyAt"] }],
  }),
  maxProperties: SCHEDULES_MAX,
};

/** Events. */
export const EVENTS_SCHEMA: JsonSchema = record<EventSettings>("What becomes of events", {
  subscribers: whole("Readers of all events at once. Default 100", 1, SUBSCRIBERS_MAX),
  ephemeral: texts("Types that are never stored: stage.logged, item.*. Default none", 100),
  archive: record<EventArchiveSettings>(
    "Stored events as lines in files. Default none",
    {
      folder: text("Folder of the files", 4_096),
      rotateBytes: whole(
        "Size from which on a new file begins",
        EVENT_FILE_BYTES_MIN,
        EVENT_FILE_BYTES_MAX,
      ),
      keep: duration('Age from which on a file moves to "archive". Default 7 days'),
      perRun: flag("One file per run besides. Default false"),
    },
    ["folder"],
  ),
});

const TARGET = record<NotifyTarget>(
  "Whom to tell",
  {
    url: text("http or https, without a user in it. Secret: who knows it may write there", 4_096),
    form: oneOfWords('Default "json"', NOTICE_FORMS),
    secret: text("What it is signed with: whsec_ and base64. For json", 200),
    on: {
      type: "array",
      description: "What is told. Default: all but breaker.opened",
      items: { enum: NOTICE_TYPES },
      maxItems: NOTICE_TYPES.length,
    },
    pipelines: texts("Only of these. Default all", 1_000),
    allowPrivate: flag("It may be on a private network. Default false"),
  },
  ["url"],
);

/** Notices. */
export const NOTIFY_SCHEMA: JsonSchema = record<NotifySettings>(
  "Who is told what happens",
  {
    targets: { ...byName("By name", TARGET), maxProperties: NOTICE_TARGETS_MAX },
    retry: RETRY_SCHEMA,
    timeout: duration("Longest time of one attempt, at most 60 s. Default 10 s"),
  },
  ["targets"],
);
