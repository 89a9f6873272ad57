// Who is told what happens, as a person writes it and as it is read: targets by name, each with an address, a form and
// the events it is told of. Addresses and secrets are never repeated in a fault: both may be all it takes to write there.

import type { Duration } from "../../std/duration.ts";
import {
  NOTICE_ATTEMPTS_DEFAULT,
  NOTICE_DELAY_MS_DEFAULT,
  NOTICE_DELAY_MS_MAX_DEFAULT,
  NOTICE_FACTOR_DEFAULT,
  NOTICE_TIMEOUT_MS_DEFAULT,
} from "../defaults.ts";
import type { DefinitionFault } from "../definition.ts";
import { NAME_CHARS_MAX, NOTICE_TARGETS_MAX, NOTICE_TIMEOUT_MS_MAX } from "../limits.ts";
import type { RetryOptions } from "../retry.ts";
import { noteSecret } from "../../std/redact.ts";
import { Secret } from "../secret.ts";
import { describeValue, isPlainRecord, OptionReader } from "./option-reader.ts";
import { parseRetry, RETRY_POLICY_DEFAULT } from "./parse-retry.ts";

/** What can be told. */
export const NOTICE_TYPES = [
  "run.failed",
  "run.recovered",
  "pipeline.blocked",
  "pipeline.unblocked",
  "breaker.opened",
] as const;

/** What is told. `run.recovered`: the first success of a pipeline after a failed run. */
export type NoticeType = (typeof NOTICE_TYPES)[number];

/** What is told where a target says nothing. */
const TYPES_DEFAULT: readonly NoticeType[] = [
  "run.failed",
  "run.recovered",
  "pipeline.blocked",
  "pipeline.unblocked",
];

/** Forms of a notice. */
export const NOTICE_FORMS = ["json", "slack"] as const;

/** Who is told, and how. */
export interface NotifyTarget {
  /** http or https, without a user in it. Of a chat it is a secret by itself, and kept like one. */
  readonly url: string | Secret;
  /** `json`: all fields, signed. `slack`: `{ "text": ... }`, as chats take it. Default "json". */
  readonly form?: (typeof NOTICE_FORMS)[number];
  /** What notices are signed with: `whsec_` and 24 to 64 bytes in base64. Needed for "json". */
  readonly secret?: string | Secret;
  /** Default: all but `breaker.opened`. */
  readonly on?: readonly NoticeType[];
  /** Only of these pipelines. Default: all. */
  readonly pipelines?: readonly string[];
  /** True: its address may be of this machine or a private network. Default false. */
  readonly allowPrivate?: boolean;
}

/** Who is told what happens. */
export interface NotifySettings {
  /** By name, at most 20. */
  readonly targets: Readonly<Record<string, NotifyTarget>>;
  /** How a notice is repeated that was not taken. Default: 10 attempts, from 5 s on, each wait three times as long, at
   *  most 1 h. */
  readonly retry?: RetryOptions | number;
  /** Longest time of one attempt, at most 60 s. Default 10 s. */
  readonly timeout?: Duration;
}

/** A target that was read. */
export interface ParsedTarget {
  readonly name: string;
  readonly url: URL;
  readonly form: (typeof NOTICE_FORMS)[number];
  /** Undefined: unsigned. */
  readonly key: Buffer | undefined;
  readonly types: ReadonlySet<NoticeType>;
  /** Null: all. */
  readonly pipelines: ReadonlySet<string> | null;
  readonly allowsPrivate: boolean;
}

/** Settings that were read. */
export interface ParsedNotify {
  readonly targets: ReadonlyMap<string, ParsedTarget>;
  readonly retry: RetryOptions;
  readonly timeoutMs: number;
}

const TARGET_KEYS = ["url", "form", "secret", "on", "pipelines", "allowPrivate"];
const PIPELINES_MAX = 1_000;
const SECRET_PREFIX = "whsec_";
/** Shorter paths are no secrets, and stand in ordinary text. */
const SECRET_PATH_CHARS_MIN = 16;
const SECRET_BYTES_MIN = 24;
const SECRET_BYTES_MAX = 64;

const RETRY_DEFAULT: RetryOptions = {
  attempts: NOTICE_ATTEMPTS_DEFAULT,
  initialDelay: NOTICE_DELAY_MS_DEFAULT,
  factor: NOTICE_FACTOR_DEFAULT,
  maxDelay: NOTICE_DELAY_MS_MAX_DEFAULT,
};

/** True for settings that can hold; every fault goes to `faults`, under the path `notify`. */
export function checkNotifySettings(
  raw: unknown,
  faults: DefinitionFault[],
): raw is NotifySettings {
  return parseNotify(raw, faults) !== undefined;
}

/** Reads the settings; undefined where there were faults. */
export function parseNotify(raw: unknown, faults: DefinitionFault[]): ParsedNotify | undefined {
  const before = faults.length;
  if (!isPlainRecord(raw)) {
    const message = `expected a record of options; got ${describeValue(raw)}`;
    faults.push({ path: "notify", message });
    return undefined;
  }
  const reader = new OptionReader(raw, "notify", faults);
  reader.refuseUnknown(["targets", "retry", "timeout"]);
  const timeoutMs = reader.durationMs("timeout") ?? NOTICE_TIMEOUT_MS_DEFAULT;
  if (timeoutMs > NOTICE_TIMEOUT_MS_MAX) reader.fault("timeout", "expected at most 60 s");
  parseRetry(reader, RETRY_POLICY_DEFAULT);
  const targets = readTargets(reader);
  if (faults.length > before) return undefined;
  return { targets, retry: toRetry(raw["retry"]), timeoutMs };
}

/** What was checked by `parseRetry`. */
function toRetry(raw: unknown): RetryOptions {
  if (typeof raw === "number") return { ...RETRY_DEFAULT, attempts: raw };
  return isPlainRecord(raw) ? { ...RETRY_DEFAULT, ...raw } : RETRY_DEFAULT;
}

function readTargets(reader: OptionReader): ReadonlyMap<string, ParsedTarget> {
  const found = new Map<string, ParsedTarget>();
  const raw = reader.raw("targets");
  const targets = reader.nested("targets");
  if (targets === undefined || !isPlainRecord(raw)) {
    if (raw === undefined) reader.fault("targets", "is missing", "name whom to tell");
    return found;
  }
  const names = Object.keys(raw);
  if (names.length > NOTICE_TARGETS_MAX)
    targets.fault("", `expected at most ${NOTICE_TARGETS_MAX} targets; got ${names.length}`);
  for (const name of names.slice(0, NOTICE_TARGETS_MAX)) {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name) || name.length > NAME_CHARS_MAX)
      targets.fault(name, `expected a name of letters, digits, ".", "_" or "-"`);
    const target = targets.nested(name);
    if (target !== undefined) found.set(name, readTarget(name, target));
  }
  return found;
}

function readTarget(name: string, reader: OptionReader): ParsedTarget {
  reader.refuseUnknown(TARGET_KEYS);
  const form = reader.oneOf("form", NOTICE_FORMS) ?? "json";
  const pipelines = reader.texts("pipelines", PIPELINES_MAX);
  return {
    name,
    url: readUrl(name, reader, form),
    form,
    key: readKey(name, reader, form),
    types: new Set(readTypes(reader)),
    pipelines: pipelines === undefined ? null : new Set(pipelines),
    allowsPrivate: reader.boolean("allowPrivate") ?? false,
  };
}

function readTypes(reader: OptionReader): readonly NoticeType[] {
  const words = reader.texts("on", NOTICE_TYPES.length);
  if (words === undefined) return TYPES_DEFAULT;
  const known = NOTICE_TYPES.filter((type) => words.includes(type));
  for (const word of words) {
    if (!known.some((type) => type === word))
      reader.fault("on", `"${word}" is not told`, `known: ${NOTICE_TYPES.join(", ")}`);
  }
  return known;
}

const NOWHERE = new URL("http://nowhere.invalid/");

function readUrl(name: string, reader: OptionReader, form: ParsedTarget["form"]): URL {
  const raw = reader.raw("url");
  const text = raw instanceof Secret ? raw.reveal() : raw;
  const url = typeof text === "string" ? URL.parse(text) : null;
  const isPlain = url !== null && url.username === "" && url.password === "";
  if (isPlain && (url.protocol === "http:" || url.protocol === "https:")) {
    if (form === "slack" && url.pathname.length >= SECRET_PATH_CHARS_MIN)
      noteSecret(`${name}.url`, url.pathname);
    return url;
  }
  reader.fault("url", "expected an http or https address without a user in it");
  return NOWHERE;
}

function readKey(
  name: string,
  reader: OptionReader,
  form: ParsedTarget["form"],
): Buffer | undefined {
  const given = reader.raw("secret");
  if (given === undefined && form === "slack") return undefined;
  const raw = given instanceof Secret ? given.reveal() : given;
  const text = typeof raw === "string" && raw.startsWith(SECRET_PREFIX) ? raw : undefined;
  if (text !== undefined) noteSecret(`${name}.secret`, text);
  const key = Buffer.from(text?.slice(SECRET_PREFIX.length) ?? "", "base64");
  if (form === "slack") reader.fault("secret", "a chat checks no signature", "remove it");
  else if (key.length < SECRET_BYTES_MIN || key.length > SECRET_BYTES_MAX) {
    const hint = `node -p "'whsec_' + crypto.randomBytes(32).toString('base64')"`;
    reader.fault("secret", "expected whsec_ and 24 to 64 bytes in base64", hint);
  }
  return key;
}
