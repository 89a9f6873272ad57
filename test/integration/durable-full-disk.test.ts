// Durable runs on a disk without room: rows and large values wait, nothing fails, and all goes on once there is.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { describe, test } from "vitest";
import { isMillraceError, MillraceError, pipeline, stage } from "../../src/exports/index.ts";
import { makeDurableWorld, makeGate } from "../support/durable/durable-world.ts";
import { makeSqliteWorld, outputOf } from "../support/sqlite-world.ts";

const hasNamespaces =
  spawnSync("unshare", ["-Urm", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;

/** Runs until the disk is full, sees that nothing goes on, frees it, and lets all runs end. */
const PROGRAM = `
import { readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
const { openMillrace } = await import(src + "exports/index.ts");
const { makeReference } = await import(src + "../test/e2e/kill/reference-pipeline.ts");
const folder = dirname(path);
const reference = makeReference(undefined);
const mill = await openMillrace({ store: "sqlite:" + path, pipelines: [reference] });
const ballast = join(folder, "ballast");
writeFileSync(ballast, Buffer.alloc(10_500_000, 1));
let ended = 0;
const states = {};
const work = async (index) => {
  for (let round = 0; round < 1; round += 1) {
    const run = await mill.start(reference, { salt: index + "/" + round, items: 4 });
    const { state } = await run.result();
    ended += 1;
    states[state] = (states[state] ?? 0) + 1;
  }
};
const all = Promise.all(Array.from({ length: 12 }, (_, index) => work(index)));
let before = -1;
let quiet = 0;
let stalledAt = null;
const watch = setInterval(() => {
  const { bavail, bsize } = statfsSync(folder);
  quiet = ended === before ? quiet + 1 : 0;
  before = ended;
  if (quiet < 12 || bavail * bsize > 200_000) return;
  stalledAt = ended;
  clearInterval(watch);
  rmSync(ballast);
}, 100);
await all;
clearInterval(watch);
const { runs } = await mill.runs({ limit: 100 });
await mill.close();
const { DatabaseSync } = await import("node:sqlite");
const check = new DatabaseSync(path).prepare("PRAGMA integrity_check").get().integrity_check;
const ok = runs.filter((run) => run.state === "succeeded").length;
process.stdout.write(JSON.stringify({ states, ok, stalled: stalledAt !== null && stalledAt < 12, check }));
`;

test.skipIf(!hasNamespaces)(
  "a full disk pauses runs, and every one of them succeeds once there is room",
  async () => {
    const world = makeSqliteWorld();
    const folder = dirname(world.path);
    mkdirSync(folder);
    const mount = `mount -t tmpfs -o size=12m none "$0" && exec "$@"`;
    const child = world.start(PROGRAM, ["unshare", "-Urm", "sh", "-c", mount, folder]);
    assert.deepEqual(JSON.parse(await outputOf(child)), {
      states: { succeeded: 12 },
      ok: 12,
      stalled: true,
      check: "ok",
    });
  },
);

describe("a store that says it is full", () => {
  test("holds up large values and rows alike", async () => {
    const world = makeDurableWorld();
    const large = stage("large", {}, () => "x".repeat(200_000));
    const small = stage("small", { needs: { large } }, (needs) => needs.large.length);
    const both = pipeline("both", { output: { small } });
    const mill = await world.open([both]);
    const full = new MillraceError("STORE_FULL", "no room", { retryable: true });
    const { store } = mill;
    const put = store.blobs.put.bind(store.blobs);
    const apply = store.apply.bind(store);
    let refusals = 2;
    store.blobs.put = (bytes) => ((refusals -= 1) >= 0 ? Promise.reject(full) : put(bytes));
    let applies = 0;
    store.apply = (writes) => {
      applies += 1;
      return applies === 3 ? Promise.reject(full) : apply(writes);
    };
    const result = await (await mill.start(both, undefined)).result();
    assert.deepEqual([result.state, result.outputs], ["succeeded", { small: 200_000 }]);
    assert.ok(refusals < 0 && applies > 3);
  });

  test("does not keep a mill from closing, and what was not stored is done again", async () => {
    const world = makeDurableWorld();
    const calls: string[] = [];
    const first = stage("first", {}, () => (calls.push("first"), 1));
    const second = stage("second", { needs: { first } }, (needs) => {
      calls.push("second");
      return needs.first + 1;
    });
    const chain = pipeline("chain", { output: { second } });
    const mill = await world.openDoomed([chain]);
    const apply = mill.store.apply.bind(mill.store);
    const stuck = makeGate();
    mill.store.apply = (writes) => {
      const isSecond = writes.some(
        (write) => write.kind === "put-stage" && write.record.stage === "second",
      );
      if (!isSecond) return apply(writes);
      stuck.open();
      return Promise.reject(new MillraceError("STORE_FULL", "no room", { retryable: true }));
    };
    const run = await mill.start(chain, undefined);
    await stuck.opened;
    await mill.close({ drainMs: 0 });
    await assert.rejects(
      run.result(),
      (error) => isMillraceError(error) && error.code === "STORE_FULL",
    );

    calls.length = 0;
    const again = await world.open([chain]);
    const result = await (await again.resume(run.id, { here: true })).result();
    assert.deepEqual(result.outputs, { second: 2 });
    assert.deepEqual(calls, ["second"]);
  });
});
