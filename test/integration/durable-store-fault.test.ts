// A store that fails while a run works: the fault is told, nothing wrong is kept, and the run can be resumed.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { isMillraceError, MillraceError, pipeline, stage } from "../../src/exports/index.ts";
import type { ErrorCode, Millrace } from "../../src/exports/index.ts";
import { makeDurableWorld, STORES } from "../support/durable/durable-world.ts";

function makeChain() {
  const calls: string[] = [];
  const first = stage("first", {}, () => (calls.push("first"), 1));
  const second = stage("second", { needs: { first } }, (needs) => {
    calls.push("second");
    return needs.first + 1;
  });
  return { chain: pipeline("chain", { output: { second } }), calls };
}

/** Lets the commit that ends stage "second" fail so many times. */
function failEnd(mill: Millrace, make: () => Error, times: number): void {
  const apply = mill.store.apply.bind(mill.store);
  let left = times;
  mill.store.apply = (writes) => {
    const isHit = writes.some(
      (write) => write.kind === "put-stage" && write.record.stage === "second",
    );
    if (!isHit || left <= 0) return apply(writes);
    left -= 1;
    return Promise.reject(make());
  };
}

const fault = (code: ErrorCode): MillraceError =>
  new MillraceError(code, "the store says so", { retryable: code === "STORE_BUSY" });

describe.each(STORES)("on %s", (kind) => {
  test("a busy store is tried again, and nobody notices", async () => {
    const { chain, calls } = makeChain();
    const mill = await makeDurableWorld(kind).open([chain]);
    failEnd(mill, () => fault("STORE_BUSY"), 4);
    const result = await (await mill.start(chain, undefined)).result();
    assert.deepEqual(result.outputs, { second: 2 });
    assert.deepEqual(calls, ["first", "second"]);
  });

  // A busy store is tried five times.
  for (const [name, times, make] of [
    ["stays busy", 5, () => fault("STORE_BUSY")],
    ["fails", 1, () => fault("STORE_FAILED")],
    ["meets a fault of our own", 1, () => new TypeError("our own fault")],
  ] as const) {
    test(`a store that ${name} parks the run, which goes on with a resume`, async () => {
      const { chain, calls } = makeChain();
      const mill = await makeDurableWorld(kind).open([chain]);
      failEnd(mill, make, times);
      const run = await mill.start(chain, undefined);
      await assert.rejects(run.result(), { message: make().message });
      const record = await mill.run(run.id);
      assert.deepEqual(
        [record.state, record.reason, record.lease, record.crashes],
        ["waiting", "interrupted", null, 0],
      );
      calls.length = 0;
      const resumed = await (await mill.resume(run.id, { here: true })).result();
      assert.deepEqual(resumed.outputs, { second: 2 });
      assert.deepEqual(calls, ["second"]);
    });
  }

  test("a run that could not even be parked is this process's own to resume, at once", async () => {
    const { chain } = makeChain();
    const mill = await makeDurableWorld(kind).open([chain]);
    const apply = mill.store.apply.bind(mill.store);
    let isAway = false;
    mill.store.apply = (writes) => {
      isAway ||= writes.some(
        (write) => write.kind === "put-stage" && write.record.stage === "second",
      );
      return isAway ? Promise.reject(fault("STORE_FAILED")) : apply(writes);
    };
    const run = await mill.start(chain, undefined);
    await assert.rejects(
      run.result(),
      (error) => isMillraceError(error) && error.code === "STORE_FAILED",
    );
    assert.equal((await mill.run(run.id)).state, "running");
    mill.store.apply = apply;
    const result = await (await mill.resume(run.id, { here: true })).result();
    assert.deepEqual(result.outputs, { second: 2 });
    assert.deepEqual([(await mill.run(run.id)).crashes, (await mill.run(run.id)).epoch], [1, 3]);
  });
});
