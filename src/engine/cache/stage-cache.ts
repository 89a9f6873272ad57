// The cache as one run uses it: asked once for each stage or item before its first attempt, given each success
// after its checkpoint. Whatever goes wrong here is a warning of the run and nothing else: without an answer the
// work is done.
//
// An asked stage or item is remembered until it ends, so that its ending can say what the cache did for it.

import {
  CACHE_METRICS,
  type CacheComponents,
  type CacheEntry,
  type CacheOutcome,
} from "../../model/cache.ts";
import type { MetricChange, StateEntry } from "../../model/checkpoint.ts";
import type { CacheRule } from "../../model/definition.ts";
import { ERROR_LIST_CHARS_MAX } from "../../model/limits.ts";
import { isMillraceError } from "../../model/errors.ts";
import { judgeEntry, sealEntry } from "../../policy/cache-entry.ts";
import {
  isKeyed,
  makeCacheKey,
  toCacheBase,
  listVariables,
  toCacheComponents,
  type CacheBase,
} from "../../policy/cache-key.ts";
import { messageOf } from "../../policy/failure.ts";
import { boundedText, versionOfText } from "../../std/json.ts";
import type { EncodedValue } from "../../std/value.ts";
import type { Attempt } from "../attempt/attempt.ts";
import type { Journal } from "../ledger/journal.ts";
import { encodeOrThrow, type RunCore } from "../run-core.ts";
import type { StageRun } from "../stage-run.ts";
import type { CacheHit } from "./cache-hit.ts";
import { listDataVersions } from "./data-versions.ts";
import { explainMiss, FORCED, type Miss } from "./miss.ts";

/** What is known of a stage or item that the cache was asked about. */
export interface Asked {
  readonly outcome: CacheOutcome;
  /** Set where its success may be put into the cache. */
  readonly key: { readonly text: string; readonly components: CacheComponents } | null;
  readonly hit: CacheHit | null;
  readonly miss: Miss | null;
}

const OFF: Asked = Object.freeze({ outcome: "off", key: null, hit: null, miss: null });
const FAILED: Asked = Object.freeze({ outcome: "error", key: null, hit: null, miss: null });

/** The cache of one run. */
export class StageCache {
  readonly #core: RunCore;
  readonly #bases: Map<StageRun, CacheBase> = new Map();
  readonly #asked: Map<StageRun, Map<number, Asked>> = new Map();
  readonly #faulty: Set<StageRun> = new Set();

  constructor(core: RunCore) {
    this.#core = core;
  }

  /**
   * Looks for the result of a first attempt; null: there is nothing to wait for, it is to be made. The promise
   * never rejects.
   * @param gather What the author's `key` is called with; asked only if there is one.
   */
  ask(attempt: Attempt, gather: () => unknown): Promise<CacheHit | null> | null {
    const rule = attempt.stageRun.definition.cache;
    if (rule === null || attempt.purpose !== "run" || attempt.history !== null) return null;
    const { journal } = this.#core;
    if (journal === null) {
      this.#note(attempt, OFF); // a run in memory leaves nothing behind, and finds nothing
      return null;
    }
    return this.#look({ attempt, rule, journal, gather }).then((asked) => {
      this.#note(attempt, asked);
      return asked.hit;
    });
  }

  #note({ stageRun, index }: Attempt, asked: Asked): void {
    let items = this.#asked.get(stageRun);
    if (items === undefined) this.#asked.set(stageRun, (items = new Map()));
    items.set(index, asked);
  }

  /** What the cache did for a stage (-1) or item that ends now; null: it was not asked. Answered once. */
  take(stageRun: StageRun, index: number): Asked | null {
    const items = this.#asked.get(stageRun);
    const asked = items?.get(index) ?? null;
    items?.delete(index);
    return asked;
  }

  async #look(question: Question): Promise<Asked> {
    const { attempt, journal, rule } = question;
    let key: Asked["key"] = null;
    try {
      const components = await this.#toComponents(question);
      if (components === null) return OFF;
      key = { text: makeCacheKey(components), components };
      if (this.#isForced(attempt.stage)) return { ...OFF, key, miss: FORCED };
      const { cache } = journal;
      const found = await cache.find(key.text);
      const asked = { key: key.text, ttlMs: rule.ttlMs, nowMs: cache.nowMs() };
      const verdict = found === undefined ? "missing" : judgeEntry(found, asked);
      if (found !== undefined && verdict === "fresh") {
        const text = await loadOutput(journal, found);
        if (text !== null) return { outcome: "hit", key, hit: { entry: found, text }, miss: null };
      }
      const latest = found ?? (await cache.findLatest(this.#addressOf(attempt)));
      const miss = explainMiss(components, latest, verdict);
      return { outcome: "miss", key, hit: null, miss };
    } catch (error) {
      this.#fault(attempt.stageRun, "could not be asked", error);
      return { ...FAILED, key };
    }
  }

  #addressOf(attempt: Attempt): { pipeline: string; stage: string; item: string | null } {
    const { name: pipeline } = this.#core.definition;
    return { pipeline, stage: attempt.stage, item: attempt.item?.key ?? null };
  }

  #isForced(stage: string): boolean {
    const { force } = this.#core.settings;
    return force === true || (force !== undefined && force.includes(stage));
  }

  /** Null: nothing tells whether an earlier result would be the same. */
  async #toComponents(question: Question): Promise<CacheComponents | null> {
    const { attempt, rule, gather } = question;
    const { stageRun, index } = attempt;
    const base = this.#baseOf(stageRun);
    if (!isKeyed(base)) return null;
    if (rule.key !== null) {
      const needs = await gather();
      const args = index < 0 ? [needs] : [stageRun.map?.items[index], needs];
      const inputs = { key: checkKey(rule.key(...args)), needs: {}, item: null, environment: {} };
      return toCacheComponents(base, inputs);
    }
    const needs = listDataVersions(this.#core, stageRun.definition);
    if (needs === null) return null;
    const item = index < 0 ? null : this.#versionOfItem(stageRun, index);
    const environment = this.#listVariables(stageRun);
    return toCacheComponents(base, { key: null, needs, item, environment });
  }

  #baseOf(stageRun: StageRun): CacheBase {
    let base = this.#bases.get(stageRun);
    if (base === undefined) {
      base = toCacheBase(this.#core.definition.name, stageRun.definition);
      this.#bases.set(stageRun, base);
    }
    return base;
  }

  #versionOfItem({ map, definition }: StageRun, index: number): string {
    const text = encodeOrThrow(map?.items[index], `item ${index} of "${definition.name}"`);
    return versionOfText(text);
  }

  #listVariables({ definition }: StageRun): Readonly<Record<string, string>> {
    return listVariables(definition.command, this.#core.world.environment);
  }

  /** Stores a success whose checkpoint is committed; null: there is nothing to store. Never rejects. */
  share(asked: Asked, attempt: Attempt, state: readonly StateEntry[]): Promise<void> | null {
    const { journal } = this.#core;
    const { key } = asked;
    if (journal === null || key === null) return null;
    const result = resultOf(attempt);
    if (result === null) return null;
    return this.#put(journal, { asked, attempt, key, state, ...result });
  }

  async #put(journal: Journal, success: Success): Promise<void> {
    const { attempt, key, asked, state, text, output } = success;
    try {
      const facts = {
        key: key.text,
        item: attempt.item?.key ?? null,
        components: key.components,
        outputVersion: versionOfText(text),
        state,
        metrics: Object.fromEntries(attempt.metricsSet ?? []),
      };
      const { ttlMs = null } = attempt.stageRun.definition.cache ?? {};
      const reason = asked.miss?.reason ?? null;
      await journal.cache.put({ ...facts, output, reason, ttlMs, seal: sealEntry(facts) });
    } catch (error) {
      // Who works on the run now has its own to tell.
      if (isMillraceError(error) && error.code === "LEASE_LOST") return;
      this.#fault(attempt.stageRun, "could not be written", error);
    }
  }

  /** One warning for a stage, however many of its items meet the same. */
  #fault(stageRun: StageRun, what: string, error: unknown): void {
    if (this.#faulty.has(stageRun)) return;
    this.#faulty.add(stageRun);
    this.#core.cacheFaults += 1;
    const { name } = stageRun.definition;
    const message = `the cache of "${name}" ${what}: ${messageOf(error)}`;
    void this.#core.fact({
      type: "stage.logged",
      stage: name,
      data: { level: "warn", message: boundedText(message, ERROR_LIST_CHARS_MAX) },
    });
  }
}

interface Question {
  readonly attempt: Attempt;
  readonly rule: CacheRule;
  readonly journal: Journal;
  readonly gather: () => unknown;
}

type Result = { readonly text: EncodedValue; readonly output: CacheEntry["output"] };

interface Success extends Result {
  readonly asked: Asked;
  readonly attempt: Attempt;
  readonly key: NonNullable<Asked["key"]>;
  readonly state: readonly StateEntry[];
}

/** What a stage or item gave, where it succeeded by this attempt. */
function resultOf({ stageRun, index }: Attempt): Result | null {
  const { map } = stageRun;
  if (index >= 0 && map?.stateOf(index) !== "succeeded") return null;
  if (index < 0 && stageRun.state !== "succeeded") return null;
  const text = index < 0 ? stageRun.text : (map?.texts[index] ?? null);
  const output = index < 0 ? stageRun.stored : (map?.stored[index] ?? null);
  return text === null || output === null ? null : { text, output };
}

/** The output as text, if it is still what was stored. */
async function loadOutput(journal: Journal, entry: CacheEntry): Promise<EncodedValue | null> {
  try {
    const text = await journal.load(entry.output);
    return versionOfText(text) === entry.outputVersion ? text : null;
  } catch (error) {
    if (isMillraceError(error) && error.code === "VALUE_DAMAGED") return null;
    throw error;
  }
}

const KEY_CHARS_MAX = 10_000;

function checkKey(key: unknown): string {
  if (typeof key === "string" && key.length >= 1 && key.length <= KEY_CHARS_MAX) return key;
  const got = typeof key === "string" ? `${key.length} characters` : `a ${typeof key}`;
  throw new TypeError(`cache.key: expected text of 1 to ${KEY_CHARS_MAX} characters; got ${got}`);
}

/** What a stage or item counts, with what the cache did for it and, after a hit, what was counted then. */
export function countCached(
  asked: Asked,
  attempt: Attempt | null,
): ReadonlyMap<string, MetricChange> {
  const counted = new Map(attempt?.metricsSet ?? Object.entries(asked.hit?.entry.metrics ?? {}));
  const one: MetricChange = { absolute: false, value: 1 };
  counted.set(CACHE_METRICS[asked.outcome], one);
  if (asked.outcome === "miss" && asked.miss !== null)
    counted.set(asked.miss.isChange ? CACHE_METRICS.changed : CACHE_METRICS.added, one);
  return counted;
}
