// Which earlier result may stand for a new one: the key of a cache entry, and which part of it changed. Nothing
// of a value is in a key but its hash, so that keys and their parts may be shown.

import type { CacheComponents } from "../model/cache.ts";
import type { CommandShape, StageDefinition } from "../model/definition.ts";
import { Secret } from "../model/secret.ts";
import { canonicalJson, sha256Hex } from "../std/json.ts";

/** What differs from run to run. */
export interface CacheInputs {
  /** What the author's `key` gave; null: there is none. */
  readonly key: string | null;
  readonly needs: Readonly<Record<string, string>>;
  /** Null: the stage itself. */
  readonly item: string | null;
  /** Variables that a command declares, with their values. */
  readonly environment: Readonly<Record<string, string>>;
}

/** One part of the key that is not what it was. */
export interface CacheDifference {
  /** `version`, `code`, `needs.page`, `environment.LANG` ... */
  readonly component: string;
  /** In words, about the stage: `its need "page" changed`. */
  readonly text: string;
}

/** What a key is made of that only the definition says: the same for all items of a stage. */
export type CacheBase = Omit<CacheComponents, "key" | "needs" | "item" | "environment">;

/** The part of the key that comes from the definition. */
export function toCacheBase(pipeline: string, stage: StageDefinition): CacheBase {
  const version = stage.version;
  const cacheVersion = stage.cache?.version ?? null;
  const isDeclared = version !== null || cacheVersion !== null;
  const text = isDeclared ? null : describeCode(stage);
  const code = text === null ? null : shorten(sha256Hex(text));
  return { format: 1, pipeline, stage: stage.name, version, cacheVersion, code };
}

/** False where nothing tells old code from new: no version is declared, and the code cannot be read. */
export function isKeyed({ version, cacheVersion, code }: CacheBase): boolean {
  return version !== null || cacheVersion !== null || code !== null;
}

/** All parts of a key. */
export function toCacheComponents(base: CacheBase, inputs: CacheInputs): CacheComponents {
  // What the author names decides alone; what it leaves out is left out on purpose.
  if (inputs.key !== null)
    return { ...base, key: inputs.key, needs: {}, item: null, environment: {} };
  const environment = Object.fromEntries(
    Object.entries(inputs.environment).map(([name, value]) => [name, shorten(sha256Hex(value))]),
  );
  return { ...base, key: null, needs: inputs.needs, item: inputs.item, environment };
}

/** The key: equal for equal parts, whatever the order they were written in. 64 hex digits. */
export function makeCacheKey(components: CacheComponents): string {
  return sha256Hex(canonicalJson(components));
}

function shorten(hash: string): string {
  return hash.slice(0, 32);
}

/** The author's functions as text, and what a command is started with. Null: a function does not show its text. */
function describeCode({ kind, run, command }: StageDefinition): string | null {
  const text = JSON.stringify([kind, describe(run), command === null ? null : toCall(command)]);
  return text.includes(NATIVE) ? null : text;
}

/** What decides the output of a command, without the variables, which have a part of their own. */
function toCall(command: CommandShape): unknown {
  const { argv, stdin, parse, env, cwd, doneWhen, skipExitCodes } = command;
  const made = typeof env === "function" ? env : null;
  return [argv, stdin, parse, made, cwd, doneWhen, skipExitCodes].map((part) => describe(part));
}

/** What a bound function says instead of its text: equal for all of them. */
const NATIVE = "{ [native code] }";

function describe(value: unknown): unknown {
  return typeof value === "function" || value instanceof RegExp ? String(value) : value;
}

/** Every part in which `now` is not what `before` was; empty if the keys are equal. */
export function explainDifference(
  before: CacheComponents,
  now: CacheComponents,
): readonly CacheDifference[] {
  const found: CacheDifference[] = [];
  const note = (component: string, text: string): number => found.push({ component, text });
  if (before.format !== now.format) note("format", "keys are made in another way now");
  if (before.pipeline !== now.pipeline) note("pipeline", "it belongs to another pipeline");
  if (before.stage !== now.stage) note("stage", "it is another stage");
  noteVersions(before, now, note);
  if (before.code !== now.code && before.code !== null && now.code !== null)
    note("code", "its code changed");
  if (before.key !== now.key) note("key", "its cache key changed");
  // Behind a key of the author's they are not there, which is no change of theirs.
  if (before.key !== null || now.key !== null) return found;
  noteRecords("needs", [before.needs, now.needs], note);
  if (before.item !== now.item) note("item", "its item changed");
  noteRecords("environment", [before.environment, now.environment], note);
  return found;
}

type Note = (component: string, text: string) => void;

function noteVersions(before: CacheComponents, now: CacheComponents, note: Note): void {
  for (const name of ["version", "cacheVersion"] as const) {
    const [was, is] = [before[name], now[name]];
    if (was === is) continue;
    const whose = name === "version" ? "its version" : "the version of its cache";
    note(name, `${whose} changed from ${sayVersion(was)} to ${sayVersion(is)}`);
  }
}

function sayVersion(version: string | null): string {
  return version === null ? "none" : `"${version}"`;
}

function noteRecords(
  component: "needs" | "environment",
  [before, now]: readonly [Readonly<Record<string, string>>, Readonly<Record<string, string>>],
  note: Note,
): void {
  const word = component === "needs" ? "its need" : "the variable";
  for (const name of new Set([...Object.keys(before), ...Object.keys(now)])) {
    const was = Object.hasOwn(before, name) ? before[name] : undefined;
    const is = Object.hasOwn(now, name) ? now[name] : undefined;
    if (was === is) continue;
    const how = was === undefined ? "is new" : is === undefined ? "is gone" : "changed";
    note(`${component}.${name}`, `${word} "${name}" ${how}`);
  }
}

/** Variables that a command declares, with the values it would get. Those its function makes are not known. */
export function listVariables(
  command: CommandShape | null,
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  if (command === null) return found;
  for (const name of command.passEnv) {
    const value = environment[name];
    if (value !== undefined) found[name] = value;
  }
  if (typeof command.env === "function") return found;
  for (const [name, value] of Object.entries(command.env)) {
    found[name] = value instanceof Secret ? value.reveal() : value;
  }
  return found;
}
