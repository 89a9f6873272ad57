// Chapter: endings. With which words an owner may end a run, whatever comes from outside.

import assert from "node:assert/strict";
import type { Store } from "../../storage/store.ts";
import type { Write } from "../../storage/write.ts";
import { apply, applyRun, createRun, endRun, getRun, queueRun } from "./fixture.ts";
import type { StoreCase } from "./suite.ts";

/** Words that end no run: of other systems, of stages, of JavaScript, and nearly right ones. */
const ODD_WORDS: readonly unknown[] = [
  "done",
  "error",
  "stopped",
  "upstream_failed",
  "pending",
  "Succeeded",
  "succeeded ",
  "",
  "constructor",
  "__proto__",
  "toString",
  null,
  0,
  ["succeeded"],
];

/** A write as it comes from outside: text that nobody has checked. */
function fromOutside(write: object): Write {
  return JSON.parse(JSON.stringify(write));
}

/** Everything that may change: rows, counts and events. */
async function readAll(store: Store): Promise<unknown> {
  return {
    runs: await store.listRuns({ limit: 9 }),
    counts: await store.countRuns(),
    events: await store.listEvents({ after: 0, limit: 99 }),
  };
}

/** Cases about the ends of runs. */
export const endingCases: readonly StoreCase[] = [
  {
    name: "R165: an owner ends a run in one of four words",
    run: async (make) => {
      const { store } = await make();
      for (const word of ["succeeded", "failed", "skipped", "cancelled"] as const) {
        const run = await applyRun(store, createRun());
        const result = await apply(store, fromOutside(endRun(run, word)));
        assert.equal(result.kind, "done");
        assert.equal((await getRun(store, run.id)).state, word);
        const late = await apply(store, fromOutside(endRun(run, "succeeded")));
        assert.equal(late.kind, "lease-lost");
        assert.equal((await getRun(store, run.id)).state, word);
      }
    },
  },
  {
    name: "R165: any other word is refused, names both states, and changes nothing",
    run: async (make) => {
      const { store } = await make();
      const run = await applyRun(store, createRun());
      const before = await readAll(store);
      for (const to of ODD_WORDS) {
        const events = [{ type: "run.succeeded" }];
        const result = await apply(store, fromOutside({ ...endRun(run, "succeeded"), to, events }));
        assert.ok(result.kind === "conflict", JSON.stringify({ to, result }));
        assert.equal(result.reason, `A run cannot move from "running" to "${String(to)}".`);
        assert.deepEqual(await readAll(store), before, JSON.stringify(to));
      }
      assert.equal((await apply(store, endRun(run, "succeeded"))).kind, "done");
    },
  },
  {
    name: "R165: an unknown id changes nothing and says so",
    run: async (make) => {
      const { store } = await make();
      await applyRun(store, createRun());
      await applyRun(store, queueRun());
      const before = await readAll(store);
      for (const id of ["none", "", "__proto__", "1", "' OR 1=1 --", "0".repeat(10_000)]) {
        const unknown = { id, epoch: 1 };
        const ended = await apply(store, fromOutside(endRun(unknown, "succeeded")));
        assert.deepEqual(ended, { kind: "lease-lost" });
        const asked = fromOutside({ kind: "request-cancel", runId: id, reason: "no" });
        assert.deepEqual(await apply(store, asked), {
          kind: "conflict",
          run: null,
          reason: "There is no run with this id.",
        });
        assert.equal(await store.findRun(id), undefined);
        assert.deepEqual(await readAll(store), before, id);
      }
    },
  },
];
