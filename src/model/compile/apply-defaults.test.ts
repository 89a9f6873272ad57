import { expect, test } from "vitest";
import { applyDefaults } from "./apply-defaults.ts";
import { compileOrThrow } from "./compile.ts";
import type { ResourceUse } from "../resource/resource.ts";
import { RETRY_POLICY_DEFAULT } from "./parse-retry.ts";
import { parseUseList } from "./parse-uses.ts";

const run = (): number => 1;

function make(options: object = {}) {
  const stages = [
    { id: "bare", run },
    { id: "own", needs: ["bare"], run, retry: 5, timeout: "1s" },
    { id: "child", argv: ["true"] },
  ];
  return compileOrThrow({
    name: "made",
    options: { name: "made", stages, ...options },
    byId: true,
  });
}

const RETRY = { ...RETRY_POLICY_DEFAULT, attempts: 3 };

test("stages that say nothing take the process's defaults, the others keep their own", () => {
  const { stages } = applyDefaults(make(), { retry: RETRY, timeoutMs: 30_000, uses: null });

  expect(
    stages.map((stage) => [stage.name, stage.retry.attempts, stage.timeoutMs, stage.origins]),
  ).toEqual([
    ["bare", 3, 30_000, { retry: "config", timeout: "config" }],
    ["own", 5, 1_000, { retry: "stage", timeout: "stage" }],
    ["child", 3, 30_000, { retry: "config", timeout: "config" }],
  ]);
});

test("a pipeline's own defaults stand above them", () => {
  const pipeline = make({ defaults: { retry: 2, timeout: "2s" } });

  const { stages } = applyDefaults(pipeline, { retry: RETRY, timeoutMs: 30_000, uses: null });

  expect(stages[0]).toMatchObject({ retry: { attempts: 2 }, timeoutMs: 2_000 });
});

test("stages take its resources where neither they nor their pipeline name any", () => {
  const uses = parseUseList(["api"], (message) => expect.unreachable(message));
  const none = { retry: null, timeoutMs: null };
  const stages = [
    { id: "bare", run },
    { id: "own", run, uses: ["db"] },
    { id: "free", run, uses: [] },
  ];
  const usesOf = (options: object): unknown =>
    applyDefaults(make({ stages, ...options }), { ...none, uses }).stages.map((stage) =>
      Array.isArray(stage.uses) ? stage.uses.map((use: ResourceUse) => use.resource) : stage.uses,
    );
  expect(usesOf({})).toEqual([["api"], ["db"], []]);
  expect(usesOf({ defaults: { uses: ["net"] } })).toEqual([["net"], ["db"], []]);
  const written = make({ stages: [{ id: "bare", run, uses }] });
  const applied = applyDefaults(make({ stages: [{ id: "bare", run }] }), { ...none, uses });
  expect(applied.hash).toBe(written.hash);
});

test("without defaults the definition is the same one", () => {
  const definition = make();

  expect(applyDefaults(definition, { retry: null, timeoutMs: null, uses: null })).toBe(definition);
});

test("the versions and the hash are those of a definition that was written so", () => {
  const written = compileOrThrow({
    name: "made",
    options: {
      name: "made",
      stages: [
        { id: "bare", run, retry: 3, timeout: "30s" },
        { id: "own", needs: ["bare"], run, retry: 5, timeout: "1s" },
        { id: "child", argv: ["true"], retry: 3, timeout: "30s" },
      ],
    },
    byId: true,
  });

  const applied = applyDefaults(make(), { retry: RETRY, timeoutMs: 30_000, uses: null });

  expect(applied.hash).toBe(written.hash);
  expect(applied.json).toBe(written.json);
  expect(applied.stages.map((stage) => stage.stageVersion)).toEqual(
    written.stages.map((stage) => stage.stageVersion),
  );
});
