// What a run would find in the cache, as far as it can be known before anything runs: stages over the input, and
// stages over those. Asks the store and calls nothing of the author's, so that a `key` of theirs is not known.

import type { CacheComponents, CacheEntry } from "../../model/cache.ts";
import type { NeedShape, PipelineDefinition, StageDefinition } from "../../model/definition.ts";
import { isMillraceError } from "../../model/errors.ts";
import { listWaves } from "../../model/graph.ts";
import { judgeEntry } from "../../policy/cache-entry.ts";
import {
  explainDifference,
  isKeyed,
  listVariables,
  makeCacheKey,
  toCacheBase,
  toCacheComponents,
} from "../../policy/cache-key.ts";
import { versionOfText } from "../../std/json.ts";
import { encodeValue } from "../../std/value.ts";
import type { Store } from "../../storage/store.ts";
import { runName } from "./find-run.ts";

/** Items that are looked up for a plan; a longer list is not. */
const PLANNED_ITEMS_MAX = 1_000;

/** What the cache has of a stage. `open`: only what its needs give will tell. */
export type CacheForecast =
  | { readonly kind: "hit"; readonly reason: string }
  | { readonly kind: "miss"; readonly reason: string | null }
  | { readonly kind: "items"; readonly cached: number; readonly total: number }
  | { readonly kind: "open" };

/** What is asked. */
export interface CacheQuestion {
  readonly definition: PipelineDefinition;
  readonly input: unknown;
  /** Hash of the input as stages read it. */
  readonly inputVersion: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Stages for which the cache will not be asked; true: none will. */
  readonly force?: true | readonly string[];
}

/** Forecasts by stage; a stage without a cache has none. Empty where the store has no cache yet. */
export async function foreseeCache(
  store: Store,
  question: CacheQuestion,
): Promise<ReadonlyMap<string, CacheForecast>> {
  const found = new Map<string, CacheForecast>();
  if (!question.definition.hasCache || question.force === true) return found;
  const seer = new Seer(store, question);
  try {
    for (const position of listWaves(question.definition.graph).flat()) {
      const stage = question.definition.stages[position];
      if (stage === undefined || stage.cache === null) continue;
      if (question.force?.includes(stage.name) === true) continue;
      found.set(stage.name, await seer.foresee(stage, position));
    }
  } catch (error) {
    // A plan without a forecast is still a plan.
    if (!isMillraceError(error)) throw error;
    return new Map();
  }
  return found;
}

const OPEN: CacheForecast = { kind: "open" };

class Seer {
  readonly #store: Store;
  readonly #question: CacheQuestion;
  /** Of stages that will be found: what they will give. */
  readonly #outputs: Map<number, string> = new Map();

  constructor(store: Store, question: CacheQuestion) {
    this.#store = store;
    this.#question = question;
  }

  async foresee(stage: StageDefinition, position: number): Promise<CacheForecast> {
    const make = this.#makerOf(stage);
    if (make === null) return OPEN;
    if (stage.map !== null) return await this.#foreseeItems(stage, make);
    const components = make(null);
    const entry = await this.#find(stage, components);
    if (entry !== undefined) {
      // Whether it is asked at all is its condition's to say.
      if (stage.when === null) this.#outputs.set(position, entry.outputVersion);
      return { kind: "hit", reason: `made from the same in run ${nameOf(entry)}` };
    }
    const { name: pipeline } = this.#question.definition;
    const latest = await this.#store.findLatestCache({ pipeline, stage: stage.name, item: null });
    if (latest === undefined) return { kind: "miss", reason: null };
    const texts = explainDifference(latest.components, components).map(({ text }) => text);
    const why = texts.length === 0 ? "what it made has expired" : texts.join(", ");
    return { kind: "miss", reason: `${why} since run ${nameOf(latest)}` };
  }

  /** Makes the parts of a key from the version of an item; null: they are not known yet. */
  #makerOf(stage: StageDefinition): ((item: string | null) => CacheComponents) | null {
    const { definition, environment } = this.#question;
    const base = toCacheBase(definition.name, stage);
    const isKnown = stage.cache?.key === null && stage.trigger === "all_success" && isKeyed(base);
    const needs = isKnown ? this.#listVersions(stage) : null;
    if (needs === null) return null;
    const variables = listVariables(stage.command, environment);
    return (item) => toCacheComponents(base, { key: null, needs, item, environment: variables });
  }

  #listVersions(stage: StageDefinition): Readonly<Record<string, string>> | null {
    const versions: Record<string, string> = {};
    const { inputVersion, definition } = this.#question;
    const visit = (name: string, shape: NeedShape): boolean => {
      if (shape.kind === "provided") return true;
      if (shape.kind === "list")
        return shape.parts.every((part, index) => visit(`${name}[${index}]`, part));
      const known = shape.kind === "input" ? inputVersion : this.#outputs.get(shape.stage);
      if (known === undefined) return false;
      const isSoft =
        shape.kind === "stage" && definition.stages[shape.stage]?.soft === true && !shape.required;
      versions[name] = `${isSoft ? "settled " : ""}=${known}`;
      return true;
    };
    if (!stage.needs.every((need) => visit(need.name, need.shape))) return null;
    if (stage.arrival === "input") versions["input"] = `=${inputVersion}`;
    return versions;
  }

  async #foreseeItems(
    stage: StageDefinition,
    make: (item: string | null) => CacheComponents,
  ): Promise<CacheForecast> {
    const items = this.#listItems(stage);
    if (items === undefined || items.length > PLANNED_ITEMS_MAX) return OPEN;
    let cached = 0;
    for (const item of items) {
      const encoded = encodeValue(item);
      if (!encoded.ok) return OPEN;
      const components = make(versionOfText(encoded.value));
      if ((await this.#find(stage, components)) !== undefined) cached += 1;
    }
    return { kind: "items", cached, total: items.length };
  }

  #listItems({ map }: StageDefinition): readonly unknown[] | undefined {
    const over = map?.over;
    if (over?.kind === "literal") return over.items;
    const { input } = this.#question;
    const isInput = over?.kind === "need" && over.shape.kind === "input";
    return isInput && Array.isArray(input) ? input : undefined;
  }

  async #find(
    stage: StageDefinition,
    components: CacheComponents,
  ): Promise<CacheEntry | undefined> {
    const key = makeCacheKey(components);
    const entry = await this.#store.findCache(key);
    const asked = { key, ttlMs: stage.cache?.ttlMs ?? null, nowMs: this.#store.nowMs() };
    return entry !== undefined && judgeEntry(entry, asked) === "fresh" ? entry : undefined;
  }
}

function nameOf(entry: CacheEntry): string {
  return runName({ number: entry.run });
}
