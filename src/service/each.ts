// A durable, resumable parallel map in one call. The list is the input of a run whose key is the list's content:
// the same program again finds its run, goes on with what is left, or answers what is done.

import { EACH_CONCURRENCY_DEFAULT } from "../model/defaults.ts";
import type { Context } from "../model/context.ts";
import { MAP_ITEMS_MAX } from "../model/limits.ts";
import type { ItemOutcome } from "../model/outcome.ts";
import type { MapOptions } from "../model/stage/stage-options.ts";
import { input } from "../model/stage/need.ts";
import { map } from "../model/stage/stage.ts";
import { encodeOrThrow } from "../engine/run-core.ts";
import { sha256Hex } from "../std/json.ts";
import { openMillrace, type Millrace } from "./millrace.ts";
import type { OpenOptions } from "./mill/open-options.ts";
import { pipeline, type Pipeline } from "./pipeline.ts";
import type { RunResult } from "./run-result.ts";
import type { StartOptions } from "./commands/start-run.ts";

type ItemOptions<Item> = MapOptions<Item, Record<never, never>, "all_success", true, "fail">;

/** How the items are worked on, and where what is done is kept. */
export interface EachOptions<Item> extends Pick<
  ItemOptions<Item>,
  "key" | "retry" | "timeout" | "cache" | "version" | "idempotent"
> {
  /** Items at once. Default 8. */
  readonly concurrency?: number;
  /** Default "sqlite:.millrace/store.db". */
  readonly store?: string;
  /** Told every event of the run. */
  readonly onEvent?: StartOptions["onEvent"];
  /** Clock, dice and the like, for tests. */
  readonly open?: Omit<OpenOptions, "store" | "pipelines">;
}

/** The same for a list whose failures are borne. */
export interface EachTolerantOptions<Item> extends EachOptions<Item> {
  /** "continue": all are tried, and each gives its outcome. Default "fail": the first final failure ends it. */
  readonly onItemFailure: "continue";
}

/**
 * Calls `run` for every item, many at a time, and keeps each result as soon as it is there. Called again with the
 * same name and list, after a crash or a failure, it does only what is left. Results in the order of the list.
 * Throws the first failure, as `RunResult.unwrap` does; VALUE_NOT_STORABLE for items or results that cannot be kept;
 * RUN_KEY_CONFLICT while another process works on the same list.
 */
export async function each<Item, Out>(
  name: string,
  items: Iterable<Item>,
  run: (item: Item, context: Context) => Out,
  options?: EachOptions<Item>,
): Promise<readonly Awaited<Out>[]>;
/** The same, with an outcome for every item. */
export async function each<Item, Out>(
  name: string,
  items: Iterable<Item>,
  run: (item: Item, context: Context) => Out,
  options: EachTolerantOptions<Item>,
): Promise<readonly ItemOutcome<Awaited<Out>>[]>;
export async function each(
  name: string,
  items: Iterable<unknown>,
  run: (item: unknown, context: Context) => unknown,
  options: Partial<EachTolerantOptions<unknown>> = {},
): Promise<readonly unknown[]> {
  const { store, onEvent, open } = options;
  const list = [...items];
  const work = makeWork(name, run, options);
  const at = store === undefined ? {} : { store };
  await using mill = await openMillrace({ ...open, ...at, pipelines: [work] });
  const result = await find(mill, work, { list, onEvent });
  return result.unwrap().results;
}

type Work = Pipeline<readonly unknown[], { readonly results: readonly unknown[] }>;

function makeWork(
  name: string,
  run: (item: unknown, context: Context) => unknown,
  options: Partial<EachTolerantOptions<unknown>>,
): Work {
  const {
    concurrency,
    onItemFailure,
    store: _store,
    onEvent: _onEvent,
    open: _open,
    ...rest
  } = options;
  const source = input<readonly unknown[]>();
  const results = map(
    "items",
    {
      ...rest,
      over: source,
      concurrency: concurrency ?? EACH_CONCURRENCY_DEFAULT,
      maxItems: MAP_ITEMS_MAX,
      onItemFailure: onItemFailure ?? "fail",
    },
    (item, _needs, context) => run(item, context),
  );
  return pipeline(name, { input: source, output: { results } });
}

/** The run of this list: started, gone on with, or as it ended. */
async function find(
  mill: Millrace,
  work: Work,
  {
    list,
    onEvent,
  }: { readonly list: readonly unknown[]; readonly onEvent: StartOptions["onEvent"] },
): Promise<RunResult<{ readonly results: readonly unknown[] }>> {
  const key = `items:${sha256Hex(encodeOrThrow(list, "the list")).slice(0, 32)}`;
  const listen = onEvent === undefined ? {} : { onEvent };
  const known = await mill.store.findRunByKey(work.name, key);
  const isOpen =
    known !== undefined && ["waiting", "failed", "cancelled", "queued"].includes(known.state);
  if (!isOpen) return await (await mill.start(work, list, { key, ...listen })).result();
  const resumed = await mill.resume(known.id, { here: true, ...listen });
  // The pipeline is the one above: its run gives its outputs.
  return (await resumed.result()) as RunResult<{ readonly results: readonly unknown[] }>;
}
