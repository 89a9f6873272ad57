// A page of the items of a map stage, in their order, or all of them one after the other.

import { PAGE_ROWS_MAX } from "../../model/limits.ts";
import type { ItemRecord } from "../../model/checkpoint.ts";
import type { StageState } from "../../model/outcome.ts";
import type { Store } from "../../storage/store.ts";
import { toCounts, type CountsView } from "../views/counts-view.ts";
import { toItemView, type ItemView } from "../views/item-view.ts";
import { toRunView, type RunView } from "../views/run-view.ts";
import { readValueView } from "../views/value-view.ts";
import { findRun } from "./find-run.ts";
import { checkPageLimit, type PageCursors } from "./page-limit.ts";
import { readItemPage } from "./run/item-page.ts";
import { getStage, readRunFacts, type RunFacts } from "./run-facts.ts";

/** Which items. */
export interface ItemListQuery {
  /** Any name of the run. */
  readonly run: string;
  readonly stage: string;
  readonly states?: readonly StageState[];
  /** 1 to 500. Default 20. */
  readonly limit?: number;
  /** `nextCursor` or `previousCursor` of another page. */
  readonly cursor?: string;
  /** Key of an item, instead of a cursor: the page that holds it, in the midst where there are items enough. */
  readonly around?: string;
  /** True: each with its output. Default false. */
  readonly outputs?: boolean;
}

/** One page. Items that were not begun have no row: they are in `counts` alone. */
export interface ItemPage extends PageCursors {
  readonly run: RunView;
  readonly stage: string;
  readonly counts: CountsView;
  readonly items: readonly ItemView[];
}

/** Lists items. RUN_NOT_FOUND, STAGE_UNKNOWN, ITEM_UNKNOWN for `around`, OPTION_INVALID. */
export async function listItems(store: Store, query: ItemListQuery): Promise<ItemPage> {
  const { stage } = query;
  const limit = checkPageLimit(query.limit);
  const facts = await readRunFacts(store, await findRun(store, query.run));
  getStage(facts, stage);
  const page = await readItemPage(store, facts, { ...query, limit });
  const items: ItemView[] = [];
  for (const record of page.records) {
    items.push(query.outputs === true ? await withOutput(store, record) : toItemView(record));
  }
  return {
    run: toRunView(facts),
    stage,
    counts: countItems(facts, stage),
    items,
    ...page.cursors,
  };
}

/** Every item that answers the query, page by page, each with its output. As `listItems`. */
export async function* iterateItems(
  store: Store,
  query: Omit<ItemListQuery, "limit" | "cursor" | "around" | "outputs">,
): AsyncGenerator<ItemView> {
  let cursor: string | undefined;
  do {
    const page = await listItems(store, {
      ...query,
      limit: PAGE_ROWS_MAX,
      outputs: true,
      ...(cursor === undefined ? {} : { cursor }),
    });
    yield* page.items;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}

async function withOutput(store: Store, record: ItemRecord): Promise<ItemView> {
  const view = await readValueView(store, record.output);
  return { ...toItemView(record), ...(view.value === undefined ? {} : { output: view.value }) };
}

function countItems(facts: RunFacts, stage: string): CountsView {
  return toCounts(facts.itemCounts.get(stage) ?? {}, facts.records.get(stage)?.itemCount ?? null);
}
