// The options that only map stages or only command stages have, from written to parsed.

import {
  COMMAND_DONE_GRACE_MS_DEFAULT,
  COMMAND_PROGRESS_MS_DEFAULT,
  COMMAND_SILENCE_MS_DEFAULT,
  MAP_CONCURRENCY_DEFAULT,
  MAP_ITEMS_DEFAULT,
  MAP_MIN_SUCCESS_DEFAULT,
} from "../defaults.ts";
import type { AuthorFunction, CommandShape, MapShape } from "../definition.ts";
import { CONCURRENCY_MAX, MAP_ITEMS_MAX, STOP_AFTER_ITEMS_MAX } from "../limits.ts";
import { Secret } from "../secret.ts";
import { describeValue, isPlainRecord, type OptionReader } from "./option-reader.ts";
import type { StopAfter } from "../stage/stage-options.ts";

/** Options that only maps have. */
export const MAP_KEYS = [
  "over",
  "key",
  "concurrency",
  "onItemFailure",
  "tolerate",
  "minSuccess",
  "maxItems",
  "onEmpty",
  "stopAfter",
] as const;

/** Options that only commands have. */
export const COMMAND_KEYS = [
  "argv",
  "stdin",
  "parse",
  "env",
  "passEnv",
  "cwd",
  "doneWhen",
  "doneGrace",
  "silence",
  "progressEvery",
  "skipOn",
] as const;

/** A map's options without `over`, which `compile.ts` resolves. */
export function parseMap(reader: OptionReader): Omit<MapShape, "over" | "follows"> {
  const onItemFailure = reader.oneOf("onItemFailure", ["fail", "continue"]) ?? "fail";
  if (onItemFailure === "fail") {
    // The first failure that is final ends such a map: nothing can pile up, and there is nothing to bear.
    for (const key of ["tolerate", "minSuccess", "stopAfter"]) {
      if (reader.has(key)) {
        reader.fault(
          key,
          `has no effect with onItemFailure: "fail"`,
          `set onItemFailure: "continue"`,
        );
      }
    }
  }
  return {
    key: reader.function("key") ?? null,
    concurrency:
      reader.raw("concurrency") === "none"
        ? null
        : (reader.number("concurrency", { min: 1, max: CONCURRENCY_MAX }) ??
          MAP_CONCURRENCY_DEFAULT),
    onItemFailure,
    tolerate: parseTolerate(reader),
    minSuccess:
      reader.number("minSuccess", { min: 0, max: MAP_ITEMS_MAX }) ?? MAP_MIN_SUCCESS_DEFAULT,
    maxItems: reader.number("maxItems", { min: 1, max: MAP_ITEMS_MAX }) ?? MAP_ITEMS_DEFAULT,
    onEmpty: reader.oneOf("onEmpty", ["succeed", "skip", "fail"]) ?? "succeed",
    stopAfter: parseStopAfter(reader),
  };
}

function parseTolerate(reader: OptionReader): MapShape["tolerate"] {
  const raw = reader.raw("tolerate");
  if (typeof raw === "string") {
    const percent = /^(\d{1,3}(?:\.\d{1,6})?)%$/.exec(raw)?.[1];
    const share = percent === undefined ? Number.NaN : Number(percent) / 100;
    if (share >= 0 && share <= 1) return { share };
    reader.fault(
      "tolerate",
      `expected a count or a share such as "10%"; got ${describeValue(raw)}`,
    );
    return null;
  }
  const count = reader.number("tolerate", { min: 0, max: MAP_ITEMS_MAX });
  return count === undefined ? null : { count };
}

function parseStopAfter(reader: OptionReader): StopAfter | null {
  const nested = reader.nested("stopAfter");
  if (nested === undefined) return null;
  nested.refuseUnknown(["inARow", "share", "of"]);
  const isRow = nested.has("inARow");
  if (
    isRow ? nested.has("share") || nested.has("of") : !(nested.has("share") && nested.has("of"))
  ) {
    nested.fault("", "expected { inARow: 10 }, or { share: 0.9, of: 20 } with both");
    return null;
  }
  const inARow = nested.number("inARow", STOP_COUNT);
  if (isRow) return inARow === undefined ? null : { inARow };
  const share = nested.number("share", { min: 0, max: 1, whole: false });
  const of = nested.number("of", STOP_COUNT);
  // No failure at all would be share enough.
  if (share === 0) nested.fault("share", "expected a share above 0 and up to 1; got 0");
  return share === undefined || of === undefined || share === 0 ? null : { share, of };
}

const STOP_COUNT = { min: 1, max: STOP_AFTER_ITEMS_MAX };

/** A command's own options. */
export function parseCommand(reader: OptionReader): CommandShape {
  return {
    argv: parseArgv(reader),
    stdin: textOrFunction(reader, "stdin"),
    parse: reader.oneOf("parse", ["json", "jsonl", "text", "none"]) ?? "none",
    env: parseEnv(reader),
    passEnv: reader.texts("passEnv", 100) ?? [],
    cwd: textOrFunction(reader, "cwd"),
    doneWhen: parseDoneWhen(reader),
    doneGraceMs: reader.durationMs("doneGrace", 0) ?? COMMAND_DONE_GRACE_MS_DEFAULT,
    silenceMs: reader.durationMs("silence") ?? COMMAND_SILENCE_MS_DEFAULT,
    progressMs: reader.durationMs("progressEvery") ?? COMMAND_PROGRESS_MS_DEFAULT,
    skipExitCodes: parseSkipOn(reader),
  };
}

function parseArgv(reader: OptionReader): CommandShape["argv"] {
  const raw = reader.raw("argv");
  if (typeof raw === "function") return reader.function<AuthorFunction>("argv") ?? [];
  const argv = reader.texts("argv", 10_000);
  if (argv !== undefined && argv.length > 0) return argv;
  if (argv !== undefined || raw === undefined) {
    reader.fault(
      "argv",
      "expected the program and its arguments as a list, or a function that gives it",
    );
  }
  return [];
}

function textOrFunction(reader: OptionReader, key: string): string | AuthorFunction | null {
  const raw = reader.raw(key);
  if (raw === undefined) return null;
  if (typeof raw === "string") return raw;
  return reader.function<AuthorFunction>(key) ?? null;
}

function parseEnv(reader: OptionReader): CommandShape["env"] {
  const raw = reader.raw("env");
  if (raw === undefined) return {};
  if (typeof raw === "function") return reader.function<AuthorFunction>("env") ?? {};
  if (isPlainRecord(raw)) {
    const entries = Object.entries(raw);
    const texts = entries.filter(
      (entry): entry is [string, string | Secret] =>
        typeof entry[1] === "string" || entry[1] instanceof Secret,
    );
    if (texts.length === entries.length) return Object.fromEntries(texts);
  }
  reader.fault(
    "env",
    `expected a record of texts and secrets, or a function; got ${describeValue(raw)}`,
  );
  return {};
}

function parseDoneWhen(reader: OptionReader): CommandShape["doneWhen"] {
  const raw = reader.raw("doneWhen");
  if (raw instanceof RegExp) return raw;
  return reader.text("doneWhen", 1_000) ?? null;
}

function parseSkipOn(reader: OptionReader): readonly number[] {
  const nested = reader.nested("skipOn");
  if (nested === undefined) return [];
  nested.refuseUnknown(["exitCode"]);
  const raw = nested.raw("exitCode");
  const codes: readonly unknown[] = Array.isArray(raw) ? raw : [raw];
  const isCode = (code: unknown): code is number =>
    typeof code === "number" && Number.isSafeInteger(code) && code >= 1 && code <= 255;
  if (codes.length > 0 && codes.every(isCode)) return codes;
  nested.fault("exitCode", `expected exit codes from 1 to 255; got ${describeValue(raw)}`);
  return [];
}
