// Chapter: the cache. What one run leaves for others; the one aggregate whose loss harms nobody.

import assert from "node:assert/strict";
import type { CacheComponents, NewCacheEntry } from "../../model/cache.ts";
import type { Store } from "../../storage/store.ts";
import type { PutCacheWrite } from "../../storage/write.ts";
import {
  apply,
  applyAll,
  applyRun,
  createRun,
  encoded,
  endRun,
  inline,
  type Held,
} from "./fixture.ts";
import type { StoreCase } from "./suite.ts";

const COMPONENTS: CacheComponents = {
  format: 1,
  pipeline: "crawl",
  stage: "fetch",
  version: null,
  cacheVersion: null,
  code: "c",
  key: null,
  needs: { page: "=1" },
  item: null,
  environment: {},
};

/** Stores an entry of stage "fetch" that never expires, unless the entry says otherwise. */
export function putCache(
  run: Held,
  entry: Partial<NewCacheEntry> & { readonly key: string },
): PutCacheWrite {
  return {
    kind: "put-cache",
    runId: run.id,
    epoch: run.epoch,
    entry: {
      item: null,
      components: COMPONENTS,
      output: inline("out"),
      outputVersion: "out-1",
      state: [],
      metrics: {},
      reason: null,
      ttlMs: null,
      seal: `sealed ${entry.key}`,
      ...entry,
    },
    events: [],
  };
}

const FETCH = { pipeline: "crawl", stage: "fetch", item: null } as const;

async function keyOfLatest(
  store: Store,
  address: Parameters<Store["findLatestCache"]>[0],
): Promise<string | undefined> {
  return (await store.findLatestCache(address))?.key;
}

/** Cases about cache entries. */
export const cacheCases: readonly StoreCase[] = [
  {
    name: "a cache entry comes back as it was stored, with run and times of the store",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const entry = {
        key: "k",
        item: "row-1",
        output: { kind: "blob", blob: "ff", bytes: 9 } as const,
        state: [{ key: "s", stage: "fetch", value: encoded(new Date(0)) }],
        metrics: { rows: { absolute: true, value: 0.5 } },
        reason: 'its need "page" changed since run 1',
        ttlMs: 1_000,
      };
      const before = store.nowMs();
      await applyAll(store, putCache(run, entry));
      const found = await store.findCache("k");
      assert.ok(found !== undefined);
      const { madeAtMs } = found;
      assert.ok(madeAtMs >= before && madeAtMs <= store.nowMs());
      const { ttlMs, ...kept } = entry;
      assert.deepEqual(found, {
        ...kept,
        components: COMPONENTS,
        outputVersion: "out-1",
        seal: "sealed k",
        run: run.number,
        madeAtMs,
        expiresAtMs: madeAtMs + ttlMs,
      });
      assert.equal(await store.findCache("K"), undefined);
    },
  },
  {
    name: "an entry without a ttl never expires, and one that has expired is still there to be judged",
    run: async (make) => {
      const { store, advance } = await make();
      const run = await applyRun(store, createRun());
      await applyAll(store, putCache(run, { key: "a" }), putCache(run, { key: "b", ttlMs: 1 }));
      await advance(1_000);
      assert.equal((await store.findCache("a"))?.expiresAtMs, null);
      const expired = await store.findCache("b");
      assert.ok(expired !== undefined && (expired.expiresAtMs ?? 0) < store.nowMs());
    },
  },
  {
    name: "the latest entry of an address is the one that was stored last, of any run or of one",
    run: async (make) => {
      const { store } = await make();
      const first = await applyRun(store, createRun());
      const second = await applyRun(store, createRun());
      await applyAll(
        store,
        putCache(first, { key: "a" }),
        putCache(second, { key: "b" }),
        putCache(second, { key: "of an item", item: "x" }),
        putCache(second, { key: "other", components: { ...COMPONENTS, stage: "parse" } }),
      );
      assert.equal(await keyOfLatest(store, FETCH), "b");
      assert.equal(await keyOfLatest(store, { ...FETCH, run: first.number }), "a");
      assert.equal(await keyOfLatest(store, { ...FETCH, item: "x" }), "of an item");
      assert.equal(await keyOfLatest(store, { ...FETCH, item: "x", run: first.number }), undefined);
      assert.equal(await keyOfLatest(store, { ...FETCH, pipeline: "other" }), undefined);

      await applyAll(store, putCache(first, { key: "a", reason: "again" }));
      assert.equal(await keyOfLatest(store, FETCH), "a");
      assert.equal((await store.findCache("a"))?.reason, "again");
    },
  },
  {
    name: "an entry is fenced like every write of an owner, and outlives its run",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const stale = await apply(store, putCache({ id: run.id, epoch: 0 }, { key: "a" }));
      assert.deepEqual(stale, { kind: "lease-lost" });
      await applyAll(store, putCache(run, { key: "b" }), endRun(run, "succeeded"));
      assert.deepEqual(await apply(store, putCache(run, { key: "c" })), { kind: "lease-lost" });
      assert.equal(await store.findCache("a"), undefined);
      assert.equal((await store.findCache("b"))?.run, run.number);
    },
  },
  {
    name: "what one process puts into the cache another one finds",
    needs: ({ shared }) => shared,
    run: async (make) => {
      const { store, open } = await make();
      const run = await applyRun(store, createRun());
      await applyAll(store, putCache(run, { key: "k" }));
      const other = await open();
      assert.deepEqual(await other.findCache("k"), await store.findCache("k"));
    },
  },
];
