// What the library says of runs that nobody made, and that nothing is changed by asking for them.

import assert from "node:assert/strict";
import { describe, expect, test } from "vitest";
import { isMillraceError, pipeline, skip, stage } from "../../src/exports/index.ts";
import { makeDurableWorld, STORES } from "../support/durable/durable-world.ts";
import { readEvents, readTypes } from "../support/queue-world.ts";

const one = pipeline("one", { stages: [stage("a", {}, () => 1)] });
const UNKNOWN = [
  "zzzz",
  "0",
  "-1",
  "../../etc/passwd",
  "' OR 1=1 --",
  "__proto__",
  "00000000-0000-7000-8000-000000000000",
];

describe.each(STORES)("on %s", (kind) => {
  test("R165: an unknown run is RUN_NOT_FOUND to every call, named as it was given, and nothing changes", async () => {
    const mill = await makeDurableWorld(kind).open([one]);
    const run = await mill.start(one, undefined);
    await run.result();
    const before = [await mill.run(run.id), await mill.stats(), await readEvents(mill, run.id)];
    const calls: readonly ((id: string) => Promise<unknown>)[] = [
      (id) => mill.cancel(id),
      (id) => mill.cancel(id, { force: true }),
      (id) => mill.resume(id),
      (id) => mill.resume(id, { here: true }),
      (id) => mill.requeue(id),
      (id) => mill.rerun(id),
      (id) => mill.run(id),
      (id) => mill.why(id),
    ];

    for (const id of UNKNOWN) {
      for (const call of calls) {
        const error: unknown = await call(id).then(
          () => assert.fail(`${JSON.stringify(id)} was found by ${String(call)}`),
          (thrown: unknown) => thrown,
        );
        assert.ok(isMillraceError(error), `${String(call)} of ${id}: ${String(error)}`);
        expect(error.code).toBe("RUN_NOT_FOUND");
        expect(error.message).toContain(JSON.stringify(id));
      }
    }
    expect([await mill.run(run.id), await mill.stats(), await readEvents(mill, run.id)]).toEqual(
      before,
    );
  });

  test("R165: the runs of a worker end in one of four words, whatever their stages give", async () => {
    const ends = [
      stage("a", {}, () => "succeeded"),
      stage("a", {}, () => ({ state: "done", status: "error" })),
      stage("a", { skips: true }, () => skip("stopped")),
      stage("a", {}, () => {
        throw Object.assign(new Error("done"), { state: "stopped", class: "finished" });
      }),
      stage("a", {}, () => undefined),
    ].map((only, index) => pipeline(`end-${index}`, { stages: [only] }));
    const mill = await makeDurableWorld(kind).open(ends);
    const states: string[] = [];
    for (const each of ends) {
      const { runs } = await mill.enqueue(each, [{ input: undefined }]);
      await mill.work({ drain: true });
      const { id, state } = await mill.run(runs[0]?.run.id ?? "");
      states.push(state);
      expect((await readTypes(mill, id)).at(-1)).toBe(`run.${state}`);
    }
    expect(states).toEqual(["succeeded", "succeeded", "skipped", "failed", "succeeded"]);
  });
});
