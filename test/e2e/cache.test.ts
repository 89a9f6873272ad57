// The cache as a shell sees it, and what a process leaves of it that is killed between a checkpoint and its entry.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { documentOf, startHost } from "../support/host.ts";

const WORDS = `
import { input, map, pipeline, stage } from "millrace";
const files = input();
const count = map("count", { over: files, key: (file) => file.name, cache: true }, (file) => file.text.length);
const total = stage("total", { needs: { count }, cache: true }, ({ count }) => count.reduce((a, b) => a + b, 0));
export const words = pipeline("words", { input: files, output: { total } });
`;

const FILES = Array.from({ length: 8 }, (_, index) => ({ name: `${index}.md`, text: "text" }));

describe("the cache on the command line", () => {
  const host = startHost({ "words.ts": WORDS });
  afterAll(() => host.close());
  const call = (verb: string, files: readonly object[], ...flags: readonly string[]) =>
    host.call([verb, "words.ts", "--input", JSON.stringify(files), ...flags]);

  test("R268 R269: nothing to do is said with counts, a changed item is done again, --force does all", async () => {
    const first = await call("run", FILES);
    expect(first.exitCode).toBe(0);
    expect(first.stderr).toContain("Cache     0 unchanged, 0 changed, 9 added");

    const second = await call("run", FILES);
    expect(second.exitCode).toBe(0);
    expect(second.stderr).toContain(
      "Cache     nothing to do: 8 items and 1 stage unchanged, 0 changed, 0 added",
    );
    const plan = await call("plan", FILES, "--detailed-exitcode");
    expect(plan.exitCode).toBe(20);
    expect(plan.stdout).toContain("all 8 items made from the same before");

    const changed = FILES.with(3, { name: "3.md", text: "another" });
    const third = await call("run", changed, "--json");
    expect(documentOf(third)).toMatchObject({
      run: { state: "succeeded" },
      stages: [
        { stage: "count", state: "succeeded", attempts: 1 },
        { stage: "total", state: "succeeded" },
      ],
      metrics: { "cache.hit": 7, "cache.miss": 2, "cache.changed": 2 },
    });
    const why = await host.call(["why", "last/count/3.md"]);
    expect(why.stdout).toContain("not taken from the cache: its item changed since run 1");
    expect((await host.call(["why", "last/count"])).stdout).toContain(
      "cache: 7 unchanged, 1 changed, 0 added",
    );
    expect((await host.call(["show", "2"])).stdout).toMatch(/succeeded \(cached\)/);

    const forced = await call("run", FILES, "--force", "--json");
    expect(documentOf(forced)).toMatchObject({ metrics: { "cache.off": 9 } });
    const named = await call("run", FILES, "--force=total", "--json");
    expect(documentOf(named)).toMatchObject({ metrics: { "cache.off": 1, "cache.hit": 8 } });
    const unknown = await call("run", FILES, "--force=totl");
    expect(unknown.exitCode).toBe(2);
    expect(unknown.stderr).toContain('did you mean "total"?');
  });
});

const SOURCES = resolve(import.meta.dirname, "../../src");

/** Runs a pipeline of cached items; ends itself at its n-th entry, before or after it is committed. */
const KILLED = `
const [folder, at, when] = process.argv.slice(1);
const { map, openMillrace, pipeline, stage } = await import("millrace");
const { SqliteStore } = await import(${JSON.stringify(join(SOURCES, "storage/sqlite/sqlite-store.ts"))});
const { apply } = SqliteStore.prototype;
let entries = 0;
let calls = 0;
SqliteStore.prototype.apply = function (writes) {
  entries += writes.filter((write) => write.kind === "put-cache").length;
  if (entries >= Number(at) && when === "before") process.kill(process.pid, "SIGKILL");
  const done = apply.call(this, writes);
  if (entries >= Number(at)) process.kill(process.pid, "SIGKILL");
  return done;
};
const rows = Array.from({ length: 12 }, (_, index) => index);
const squares = map("squares", { over: rows, concurrency: 2, cache: true }, (row, _needs, ctx) => {
  calls += 1;
  ctx.metric.increment("rows");
  return row * row;
});
const sum = stage("sum", { needs: { squares }, cache: true }, ({ squares }) => {
  calls += 1;
  return squares.reduce((a, b) => a + b, 0);
});
const killed = pipeline("killed", { output: { sum } });
const mill = await openMillrace({ store: "sqlite:" + folder + "/store.db", pipelines: [killed] });
const result = await (await mill.start(killed, undefined)).result();
console.log(JSON.stringify({ calls, state: result.state, ...result.outputs, ...result.metrics }));
await mill.close();
`;

/** Checkpoints and entries that a process left. */
function countLeft(path: string): { readonly items: number; readonly entries: number } {
  const database = new DatabaseSync(path);
  const count = (table: string): number =>
    Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"]);
  try {
    return { items: count("items"), entries: count("cache") };
  } finally {
    database.close();
  }
}

test.each(["before", "after"])(
  "R271: a process that is killed %s an entry is committed leaves a miss or a hit, never a wrong value",
  (when) => {
    const folder = mkdtempSync(join(tmpdir(), "millrace-cache-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const run = (at: number) =>
      spawnSync(
        process.execPath,
        [
          "--conditions=@millrace/source",
          "--input-type=module",
          "--eval",
          KILLED,
          folder,
          `${at}`,
          when,
        ],
        { cwd: resolve(SOURCES, ".."), encoding: "utf8" },
      );
    expect(run(1).signal).toBe("SIGKILL");
    const left = countLeft(join(folder, "store.db"));
    expect(left.items).toBeGreaterThan(0);
    if (when === "before") expect(left.entries).toBe(0);
    else expect(left.entries).toBeGreaterThan(0);
    let deaths = 1;
    for (let at = 2; at <= 5; at += 1) if (run(at).signal === "SIGKILL") deaths += 1;
    expect(deaths).toBeGreaterThanOrEqual(3);

    const ended: Record<string, number> = JSON.parse(run(Infinity).stdout);
    expect(ended).toMatchObject({ state: "succeeded", sum: 506, rows: 12 });
    const hits = ended["cache.hit"] ?? 0;
    expect(ended["calls"]).toBe(13 - hits);
    if (when === "after") expect(hits).toBeGreaterThanOrEqual(deaths);
    const last: Record<string, number> = JSON.parse(run(Infinity).stdout);
    expect(last).toMatchObject({
      calls: 0,
      state: "succeeded",
      sum: 506,
      rows: 12,
      "cache.hit": 13,
    });
  },
);
