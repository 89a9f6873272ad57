// Starting a durable run: its names and labels, what it takes over from an earlier one, and what its record says.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { input, isMillraceError, pipeline, stage } from "../../src/exports/index.ts";
import type { StartOptions } from "../../src/exports/index.ts";
import { makeDurableWorld, makeGate, STORES } from "../support/durable/durable-world.ts";

function isCode(code: string, details: Readonly<Record<string, unknown>> = {}) {
  return (error: unknown): boolean => {
    assert.ok(isMillraceError(error), String(error));
    assert.equal(error.code, code);
    assert.partialDeepStrictEqual(error.details ?? {}, details);
    return true;
  };
}

/** extract → analyse → judge, analyse → report, and a side branch. */
function makeStudy() {
  const calls: string[] = [];
  const state = { failing: "" };
  const run = <T>(name: string, value: T): T => {
    calls.push(name);
    if (state.failing === name) throw new Error(`no ${name}`);
    return value;
  };
  const paper = input<string>();
  const extract = stage("extract", { needs: { paper } }, (needs) =>
    run("extract", `${needs.paper}.`),
  );
  const analyse = stage("analyse", { needs: { extract } }, (needs) =>
    run("analyse", `${needs.extract}!`),
  );
  const judge = stage("judge", { needs: { analyse } }, (needs) =>
    run("judge", `${needs.analyse}?`),
  );
  const report = stage("report", { needs: { analyse, judge } }, (needs) =>
    run("report", needs.analyse + needs.judge),
  );
  const side = stage("side", {}, () => run("side", "aside"));
  const study = pipeline("study", { input: paper, output: { report, side }, failFast: false });
  return { study, calls, state };
}

describe.each(STORES)("a start on %s", (kind) => {
  test("R201: a key that was used and has ended gives that run, and nothing starts", async () => {
    const { study, calls } = makeStudy();
    const mill = await makeDurableWorld(kind).open([study]);
    const first = await mill.start(study, "p", { key: "paper-1" });
    await first.result();
    calls.length = 0;
    const second = await mill.start(study, "another", { key: "paper-1" });

    assert.equal(second.created, false);
    assert.equal(second.id, first.id);
    assert.deepEqual(calls, []);
    const result = await second.result();
    assert.deepEqual(result.outputs, (await first.result()).outputs);
    assert.deepEqual(
      [result.startedAtMs, result.durationMs],
      [(await mill.run(first.id)).startedAtMs, (await mill.run(first.id)).durationMs],
    );
    await assert.rejects(second.cancel(), isCode("RUN_STATE_CONFLICT"));
    for await (const event of second.events()) assert.fail(event.type);
    assert.equal((await mill.runs({})).runs.length, 1);
    assert.equal((await mill.start(study, "p", { key: "paper-2" })).created, true);
  });

  test("R201: the key of a run that has not ended is a conflict that says what to do", async () => {
    const gate = makeGate();
    const slow = stage("slow", {}, async () => await gate.opened);
    const waiting = pipeline("waiting", { output: { slow } });
    const { study } = makeStudy();
    const mill = await makeDurableWorld(kind).open([waiting, study]);
    const run = await mill.start(waiting, undefined, { key: "k" });
    await assert.rejects(
      mill.start(waiting, undefined, { key: "k" }),
      isCode("RUN_KEY_CONFLICT", { run: run.id, state: "running" }),
    );
    // A key is a pipeline's own.
    assert.equal((await mill.start(study, "p", { key: "k" })).created, true);
    await run.interrupt(0);
    await assert.rejects(mill.start(waiting, undefined, { key: "k" }), (error) => {
      isCode("RUN_KEY_CONFLICT", { state: "waiting" })(error);
      return isMillraceError(error) && error.next === `npx millrace resume ${run.name}`;
    });
    gate.open();
    await (await mill.resume(run.id, { here: true })).result();
  });

  test("R205 R256: the record holds labels, parent, definition, settings and times", async () => {
    const { study } = makeStudy();
    const mill = await makeDurableWorld(kind).open([study]);
    const parent = await mill.start(study, "parent");
    await parent.result();
    const run = await mill.start(study, "p", {
      key: "k",
      tags: { team: "reading", year: "2026" },
      parentRun: parent.id,
      source: "a test",
      skip: ["side"],
      concurrency: 2,
      failFast: true,
      noRetry: true,
      deadline: "1h",
    });
    const result = await run.result();
    const record = await mill.run(run.id);
    assert.partialDeepStrictEqual(record, {
      id: run.id,
      number: 2,
      pipeline: "study",
      definitionHash: study.hash,
      key: "k",
      state: "succeeded",
      reason: null,
      foreground: true,
      epoch: 1,
      lease: null,
      crashes: 0,
      resumes: 0,
      retries: 0,
      parent: parent.id,
      source: "a test",
      tags: { team: "reading", year: "2026" },
      settings: {
        skip: ["side"],
        concurrency: 2,
        failFast: true,
        noRetry: true,
        deadlineMs: 3_600_000,
      },
      durationMs: result.durationMs,
      warnings: 0,
      failure: null,
    });
    const times = [record.queuedAtMs, record.startedAtMs, record.endedAtMs, record.updatedAtMs];
    assert.ok(times.every((time) => typeof time === "number" && time > 0));
    assert.deepEqual(
      times.toSorted((a, b) => Number(a) - Number(b)),
      times,
    );
    assert.equal(await mill.store.findDefinition(study.hash), study.definition.json);
    const children = await mill.store.listRuns({ parent: parent.id, limit: 10 });
    assert.deepEqual(
      children.map(({ id }) => id),
      [run.id],
    );
    const tagged = await mill.store.listRuns({ tag: ["team", "reading"], limit: 10 });
    assert.equal(tagged.length, 1);
    const stage_ = await mill.store.findStage(run.id, "analyse");
    assert.ok((stage_?.startedAtMs ?? 0) > 0 && (stage_?.endedAtMs ?? 0) > 0);
    assert.deepEqual([stage_?.attempts, stage_?.via, stage_?.waitedMs], [1, "run", {}]);
  });

  test("labels that are too long or too many are refused, and nothing was made", async () => {
    const { study, calls } = makeStudy();
    const mill = await makeDurableWorld(kind).open([study]);
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`t${n}`, "x"]));
    const refused: readonly StartOptions[] = [
      { key: "" },
      { key: "x".repeat(513) },
      { key: "\ud800" },
      { tags: many },
      { tags: { a: "x".repeat(257) } },
      { source: "x".repeat(513) },
      { concurrency: 0 },
      { deadline: "0ms" },
    ];
    for (const options of refused)
      await assert.rejects(mill.start(study, "p", options), isCode("OPTION_INVALID"));
    await assert.rejects(mill.start(study, "p", { skip: ["no"] }), isCode("STAGE_UNKNOWN"));
    assert.deepEqual((await mill.runs({})).runs, []);
    assert.deepEqual(calls, []);
  });

  test("R198: only runs just that stage, with what it needs from the newest run over the same input", async () => {
    const { study, calls } = makeStudy();
    const mill = await makeDurableWorld(kind).open([study]);
    await assert.rejects(
      mill.start(study, "p", { only: ["analyse"] }),
      isCode("CHECKPOINT_MISSING", { missing: ["extract"] }),
    );
    assert.deepEqual((await mill.runs({})).runs, []);
    const whole = await mill.start(study, "p");
    await whole.result();
    await assert.rejects(
      mill.start(study, "q", { only: ["analyse"] }),
      isCode("CHECKPOINT_MISSING"),
    );
    calls.length = 0;
    const run = await mill.start(study, "p", { only: ["analyse"] });
    const result = await run.result();

    assert.deepEqual(calls, ["analyse"]);
    assert.equal(result.state, "succeeded");
    assert.equal(result.output("analyse"), "p.!");
    assert.deepEqual(
      ["extract", "judge", "side"].map((name) => [
        result.stages[name]?.state,
        result.stages[name]?.via ?? result.stages[name]?.reason,
      ]),
      [
        ["succeeded", "checkpoint"],
        ["skipped", "operator"],
        ["skipped", "operator"],
      ],
    );
    assert.equal((await mill.run(run.id)).parent, whole.id);
  });

  test("R198: only and from far down the line take over what is read, and a failed one is resumed like any other", async () => {
    const { study, calls, state } = makeStudy();
    const mill = await makeDurableWorld(kind).open([study]);
    const whole = await mill.start(study, "p");
    await whole.result();
    for (const options of [{ only: ["judge"] }, { from: "report" }]) {
      const run = await mill.start(study, "p", options);
      const { stages, state: end } = await run.result();
      assert.equal(end, "succeeded");
      assert.deepEqual(
        [stages["extract"]?.reason, stages["analyse"]?.via],
        ["operator", "checkpoint"],
      );
    }

    state.failing = "judge";
    const failed = await mill.start(study, "p", { only: ["judge"] });
    assert.equal((await failed.result()).state, "failed");
    state.failing = "";
    calls.length = 0;
    const resumed = await mill.resume(failed.id, { here: true });
    const result = await resumed.result();
    assert.deepEqual([result.state, result.output("judge")], ["succeeded", "p.!?"]);
    assert.deepEqual(calls, ["judge"]);
  });

  test("from runs that stage and all after it; what lies before is taken over, the rest is left out", async () => {
    const { study, calls, state } = makeStudy();
    const mill = await makeDurableWorld(kind).open([study]);
    state.failing = "judge";
    const source = await mill.start(study, "p");
    await source.result();
    state.failing = "";
    calls.length = 0;
    const run = await mill.start(study, "p", { from: "judge" });
    const result = await run.result();

    assert.deepEqual(calls, ["judge", "report"]);
    assert.equal(result.outputs.report, "p.!p.!?");
    assert.deepEqual(run.resumed?.keptStages, 2);
    assert.deepEqual(run.resumed?.redo[0], { stage: "judge", reason: "asked by --from" });
    assert.equal(result.stages["side"]?.reason, "operator");
    const record = await mill.run(run.id);
    assert.deepEqual([record.parent, record.settings.from], [source.id, "judge"]);
    await assert.rejects(mill.start(study, "p", { from: "no" }), isCode("STAGE_UNKNOWN"));
    state.failing = "extract";
    const failed = await mill.start(study, "r");
    await failed.result();
    await assert.rejects(
      mill.start(study, "r", { from: "judge" }),
      isCode("CHECKPOINT_MISSING", { missing: ["analyse", "extract"] }),
    );
  });

  test("until runs that stage and what it needs", async () => {
    const { study, calls } = makeStudy();
    const mill = await makeDurableWorld(kind).open([study]);
    const result = await (await mill.start(study, "p", { until: "analyse" })).result();
    assert.deepEqual(calls, ["extract", "analyse"]);
    assert.equal(result.state, "succeeded");
    assert.equal(result.stages["report"]?.reason, "operator");
  });

  test("R189: a resume through the library queues the run, and one here takes it from the queue", async () => {
    const { study, calls, state } = makeStudy();
    const mill = await makeDurableWorld(kind).open([study]);
    state.failing = "judge";
    const run = await mill.start(study, "p");
    await run.result();
    state.failing = "";
    calls.length = 0;
    const queued = await mill.resume(run.id);
    assert.partialDeepStrictEqual(queued, {
      id: run.id,
      state: "queued",
      lease: null,
      foreground: false,
      epoch: 2,
      resumes: 1,
    });
    assert.deepEqual(calls, []);
    await assert.rejects(mill.result(run.id), isCode("RUN_STATE_CONFLICT"));
    const here = await mill.resume(run.id, { here: true });
    assert.equal((await mill.run(run.id)).state, "running");
    assert.equal((await here.result()).state, "succeeded");
    assert.deepEqual(calls, ["judge", "report"]);
    assert.deepEqual((await mill.run(run.id)).foreground, true);
  });

  test("a run keeps to its own concurrency, within that of the process", async () => {
    let inFlight = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      await new Promise((resolve) => setImmediate(resolve));
      inFlight -= 1;
    };
    const stages = Array.from({ length: 12 }, (_, n) => stage(`s${n}`, {}, work));
    const wide = pipeline("wide", { stages });
    const mill = await makeDurableWorld(kind).open([wide], { concurrency: 5 });
    for (const [concurrency, wanted] of [
      [2, 2],
      [undefined, 5],
      [9, 5],
    ] as const) {
      most = 0;
      const options = concurrency === undefined ? {} : { concurrency };
      const result = await (await mill.start(wide, undefined, options)).result();
      assert.deepEqual([result.state, most], ["succeeded", wanted]);
    }
    most = 0;
    const both = await Promise.all([
      mill.start(wide, undefined, { concurrency: 4 }),
      mill.start(wide, undefined, { concurrency: 4 }),
    ]);
    await Promise.all(both.map((run) => run.result()));
    assert.equal(most, 5);
  });
});
