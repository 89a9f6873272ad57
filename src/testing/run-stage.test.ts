import { declareResource as resource } from "../model/resource/make-resource.ts";
import { expect, test } from "vitest";
import { input, provided } from "../model/stage/need.ts";
import { command, map, stage } from "../model/stage/stage.ts";
import { runStage, testContext } from "./run-stage.ts";

const source = input<number>();
const double = stage("double", { needs: { source } }, (needs, ctx) => [
  needs.source * 2,
  ctx.stage,
  ctx.attempt,
]);

test("one stage runs with the needs it is given and no engine around it", async () => {
  expect(await runStage(double, { source: 4 })).toEqual([8, "double", 1]);
});

test("parts of the context may be given", async () => {
  expect(await runStage(double, { source: 1 }, { context: { attempt: 3 } })).toEqual([
    2,
    "double",
    3,
  ]);
});

test("a map runs with the item it is given", async () => {
  const tagged = map(
    "tagged",
    { needs: { tag: provided<string>("tag") }, over: ["a"] },
    (item, needs) => needs.tag + item,
  );
  expect(await runStage(tagged, { tag: "#" }, { item: "x" })).toBe("#x");
});

test("what the stage throws is thrown", async () => {
  const fails = stage("fails", {}, () => {
    throw new Error("boom");
  });
  await expect(runStage(fails, {})).rejects.toThrow("boom");
});

test("a command has no function to run, and what is no stage has none either", async () => {
  await expect(runStage(command("ls", { argv: ["ls"] }), {})).rejects.toThrow(
    'runStage needs a stage or map with a function, got "ls".',
  );
  const stranger = { kind: "stage", name: "stranger" } as const;
  await expect(runStage(stranger, {})).rejects.toMatchObject({ code: "OPTION_INVALID" });
});

test("a context by itself answers everything and tells nobody", async () => {
  const ctx = testContext();
  ctx.log.info("line");
  ctx.progress(1, 2);
  ctx.emit("partial", {});
  ctx.metric.set("m", 1);
  ctx.metric.increment("m");
  await ctx.sleep("1h");
  expect(ctx.signal.aborted).toBe(false);
  expect(await ctx.memo("name", () => 5)).toBe(5);
  expect(await ctx.artifact("name", "text")).toMatchObject({ name: "name", bytes: 4 });
  expect(await ctx.use(resource("api", { limit: 1 }), async () => 6)).toBe(6);
});

test("the state of a context is kept, and a fallback stands only where nothing was set", () => {
  const { state } = testContext();
  expect(state.get("k", "fallback")).toBe("fallback");
  for (const value of [0, "", false, null]) {
    state.set("k", value);
    expect(state.get("k", "fallback")).toBe(value);
  }
});

test("overrides are taken as they are, getters too", () => {
  let read = 0;
  const ctx = testContext({
    get runId() {
      read += 1;
      return `run-${read}`;
    },
  });
  expect([ctx.runId, ctx.runId]).toEqual(["run-1", "run-2"]);
});
