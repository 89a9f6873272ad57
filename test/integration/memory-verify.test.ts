// Work that is checked after it succeeded: by a function, and by files that this run must have written.

import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, rename, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { command, map, pipeline, stage, type RunResult, type VerifyFunction } from "millrace";
import { makeMemoryWorld } from "../support/memory-world.ts";

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-verify-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const errorOf = (result: RunResult<unknown>, name: string): string | undefined =>
  result.stages[name]?.error?.message;

const now = { attempts: 3, initialDelay: 0, jitter: "none" } as const;

test("R33: a verify function that throws makes a failed attempt, which is repeated, then fails", async () => {
  const world = makeMemoryWorld();
  let calls = 0;
  const seen: unknown[] = [];
  const verify: VerifyFunction = (output, ctx) => {
    seen.push([output, ctx.stage, ctx.attempt]);
    if (calls < 3) throw new Error(`only ${calls} rows`);
  };
  const counted = stage("counted", { retry: { ...now, attempts: 4 }, verify }, () => (calls += 1));
  const never = stage(
    "never",
    {
      retry: { ...now, attempts: 2 },
      verify: () => Promise.reject(new Error("not really done")),
    },
    () => 1,
  );
  const made = pipeline("p", { failFast: false, output: { counted, never } });

  const result = await world.finish(made, undefined);

  expect(result.outputs).toEqual({ counted: 3, never: undefined });
  expect(seen).toEqual([
    [1, "counted", 1],
    [2, "counted", 2],
    [3, "counted", 3],
  ]);
  expect(result.stages["counted"]).toMatchObject({ state: "succeeded", attempts: 3 });
  expect(result.stages["never"]).toMatchObject({
    state: "failed",
    attempts: 2,
    error: { message: "not really done" },
  });
});

test("verify sees what the schema made of the output, and is not asked about a skip or a failure", async () => {
  const seen: unknown[] = [];
  const verify = (output: unknown): void => void seen.push(output);
  const output = {
    "~standard": {
      version: 1 as const,
      vendor: "test",
      validate: (value: unknown) => ({ value: [value] }),
    },
  };
  const checked = stage("checked", { verify, output }, () => "x");
  const fails = stage("fails", { verify, critical: false }, () => {
    throw new Error("boom");
  });
  const result = await pipeline("p", { output: { checked }, stages: [fails] }).run(undefined);
  expect(result.outputs.checked).toEqual(["x"]);
  expect(seen).toEqual([["x"]]);
});

test("an output that does not match its schema fails for good, with the path", async () => {
  const output = {
    "~standard": {
      version: 1 as const,
      vendor: "test",
      validate: () => ({ issues: [{ message: "expected text", path: ["rows", 0] }] }),
    },
  };
  const bad = stage("bad", { output, retry: 3 }, () => 1);
  const result = await pipeline("p", { output: { bad } }).run(undefined);
  expect(result.stages["bad"]).toMatchObject({ attempts: 1, error: { class: "permanent" } });
  expect(errorOf(result, "bad")).toContain("rows.0: expected text");
});

test("a slow verify is part of its attempt: the timeout ends it, and a cancel too", async () => {
  const world = makeMemoryWorld();
  const slow = stage("slow", { timeout: 100, verify: (_output, ctx) => ctx.sleep("1h") }, () => 1);
  const result = await world.finish(pipeline("p", { output: { slow } }), undefined);
  expect(result.stages["slow"]?.error?.class).toBe("timeout");
  expect(world.now()).toBe(100);
});

test("R33: a stage whose file is missing is repeated, then failed; one that writes it succeeds", async () => {
  const folder = makeFolder();
  const missing = join(folder, "missing.txt");
  const written = join(folder, "written.txt");
  let tries = 0;
  const lazy = stage("lazy", { retry: now, verify: { files: [missing] } }, () => {
    tries += 1;
  });
  const third = stage(
    "third",
    { retry: now, verify: { files: [written] } },
    async (_needs, ctx) => {
      if (ctx.attempt === 3) await writeFile(written, "done");
      return ctx.attempt;
    },
  );
  const made = pipeline("p", { failFast: false, output: { lazy, third } });

  const result = await made.run(undefined);

  expect(tries).toBe(3);
  expect(result.stages["lazy"]).toMatchObject({ state: "failed", attempts: 3 });
  expect(errorOf(result, "lazy")).toBe(`verify: file "${missing}" does not exist`);
  expect(result.outputs.third).toBe(3);
});

test("R33: a command that exits 0 without its file is repeated, then failed", async () => {
  const folder = makeFolder();
  const missing = join(folder, "missing.txt");
  const made = join(folder, "made.txt");
  const idle = command("idle", {
    argv: [process.execPath, "--version"],
    retry: { ...now, attempts: 2 },
    verify: { files: [missing] },
    critical: false,
  });
  const works = command("works", {
    argv: [process.execPath, "-e", `require("node:fs").writeFileSync(process.argv[1], "x")`, made],
    verify: { files: [made] },
  });
  const result = await pipeline("p", { stages: [idle, works] }).run(undefined);
  expect(result.stages["idle"]).toMatchObject({ state: "failed", attempts: 2 });
  expect(errorOf(result, "idle")).toContain("does not exist");
  expect(result.stages["works"]?.state).toBe("succeeded");
});

test("R34: what an earlier run left behind does not count", async () => {
  const folder = makeFolder();
  const file = join(folder, "report.txt");
  let isWorking = true;
  const report = stage("report", { retry: now, verify: { files: [file] } }, async () => {
    if (isWorking) await writeFile(file, "same text");
  });
  const made = pipeline("p", { stages: [report] });

  expect((await made.run(undefined)).state).toBe("succeeded");
  // The file is there, and this time nothing is done.
  isWorking = false;
  const idle = await made.run(undefined);
  expect(idle.state).toBe("failed");
  expect(errorOf(idle, "report")).toBe(
    `verify: file "${file}" was not written by this run: it is what an earlier one left`,
  );
  // Written again with the same content, it counts.
  isWorking = true;
  expect((await made.run(undefined)).state).toBe("succeeded");
});

test("a file that was renamed into place counts, also when it is older than what was there", async () => {
  const folder = makeFolder();
  const file = join(folder, "report.txt");
  await writeFile(file, "old");
  const report = stage("report", { verify: { files: [file] } }, async () => {
    const next = join(folder, "next.txt");
    await writeFile(next, "new");
    await utimes(next, 1_000, 1_000);
    await rename(next, file);
  });
  expect((await pipeline("p", { stages: [report] }).run(undefined)).state).toBe("succeeded");
});

test("what an earlier attempt of the same run wrote counts", async () => {
  const folder = makeFolder();
  const [first, second] = [join(folder, "first.txt"), join(folder, "second.txt")];
  const parts = stage("parts", { retry: now, verify: { files: [first, second] } }, (_needs, ctx) =>
    writeFile(ctx.attempt === 1 ? first : second, "x"),
  );
  const result = await pipeline("p", { stages: [parts] }).run(undefined);
  expect(result.stages["parts"]).toMatchObject({ state: "succeeded", attempts: 2 });
});

test.each([
  ["an empty file", (path: string) => writeFile(path, ""), "is empty"],
  ["a folder", (path: string) => mkdir(path), "does not exist"],
  ["a link to nothing", (path: string) => symlink(`${path}.gone`, path), "does not exist"],
] as const)("%s is no written file", async (_name, make, fault) => {
  const file = join(makeFolder(), "out");
  const bad = stage("bad", { verify: { files: [file] } }, () => make(file));
  const result = await pipeline("p", { stages: [bad] }).run(undefined);
  expect(errorOf(result, "bad")).toBe(`verify: file "${file}" ${fault}`);
});

test("files of a map are looked at per item, and two items may share a folder", async () => {
  const folder = makeFolder();
  const file = join(folder, "shared.txt");
  const many = map(
    "many",
    { over: [1, 2], concurrency: 1, onItemFailure: "continue", verify: { files: [file] } },
    async (item) => {
      if (item === 1) await writeFile(file, "by the first");
    },
  );
  const result = await pipeline("p", { output: { many } }).run(undefined);
  expect(result.unwrap().many.map(({ status }) => status)).toEqual(["succeeded", "failed"]);
});

test("a stage that is cancelled while its files are looked at is not called", async () => {
  const file = join(makeFolder(), "out.txt");
  let called = false;
  const controller = new AbortController();
  const slow = stage("slow", { verify: { files: [file] } }, () => void (called = true));
  const running = pipeline("p", { stages: [slow] }).run(undefined, { signal: controller.signal });
  // Its files are being looked at: that takes a turn of the event loop.
  await Promise.resolve();
  controller.abort();
  const result = await running;
  expect(result.stages["slow"]).toMatchObject({ state: "cancelled" });
  expect(called).toBe(false);
});
