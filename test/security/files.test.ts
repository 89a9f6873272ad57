// Files that we make are for their owner alone, and what is opened, be it a store, a file of runs or a folder, is read
// and never run.

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { cpSync } from "node:fs";
import { join, relative } from "node:path";
import { afterAll, expect, test } from "vitest";
import { input, map, pipeline, stage } from "../../src/exports/index.ts";
import { startArchive } from "../../src/service/events/open-archive.ts";
import { serve } from "../../src/exports/server.ts";
import { makeDurableWorld } from "../support/durable/durable-world.ts";
import { startHost } from "../support/host.ts";

const host = startHost();
afterAll(() => host.close());

/** Files and folders below that others than their owner can reach, with their modes. */
function listOpen(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => (statSync(path).mode & 0o077) !== 0)
    .map((path) => `${relative(folder, path)} ${(statSync(path).mode & 0o777).toString(8)}`);
}

test("S36: store, log, blobs, token, archive and folders of runs are for their owner, whatever the umask says", async () => {
  const world = makeDurableWorld("sqlite");
  const archive = join(world.folder, "events");
  const fill = map("fill", { over: [1, 2, 3] }, async (item, _needs, ctx) => {
    expect(statSync(ctx.dir).mode & 0o777).toBe(0o700);
    ctx.log.info(`item ${item}`);
    await ctx.artifact(`part-${item}`, "x".repeat(100_000));
    return "y".repeat(100_000);
  });
  const files = pipeline("files", { output: { fill } });
  const before = process.umask(0);
  try {
    const mill = await world.open([files], {
      events: { archive: { folder: archive, perRun: true } },
    });
    await startArchive(mill);
    const server = await serve(mill, { port: 0 });
    expect((await (await mill.start(files, undefined)).result()).state).toBe("succeeded");
    await expect.poll(() => existsSync(archive) && readdirSync(archive).length > 0).toBe(true);
    const names = readdirSync(join(world.folder, "store"));
    expect(names).toEqual(expect.arrayContaining(["store.db", "store.db-wal", "token", "blobs"]));
    expect(listOpen(world.folder)).toEqual([]);
    await server.stop();
    await mill.close({ drainMs: 0 });
    expect(listOpen(world.folder)).toEqual([]);
  } finally {
    process.umask(before);
  }
});

const SMALL = `
import { definePipeline } from "millrace";
import { appendFileSync } from "node:fs";
appendFileSync(new URL("mark.txt", import.meta.url), "imported");
export const small = definePipeline({
  name: "small",
  failFast: false,
  stages: [
    { id: "list", run: () => ["a", "b"] },
    { id: "each", needs: ["list"], over: "list", onItemFailure: "continue", tolerate: 0, run: (item) => {
      if (item === "b") throw new Error("no " + item);
      return item;
    } },
  ],
});
`;

test("S36: reports, exports and log files of the command are for their owner", async () => {
  const folder = host.makeFolder({ "small.ts": SMALL });
  const call = (...argv: readonly string[]) => host.call(argv, { folder });
  const { stdout } = await call(
    "run",
    "small.ts",
    "--report",
    "run.html",
    "--log-file",
    "run.log",
    "--json",
  );
  const [, run = ""] = /"id": "([0-9a-f-]{36})"/.exec(stdout) ?? [];
  await call("run", "small.ts", "--report", "run.json");
  await call("plan", "small.ts", "--report", "plan.json");
  await call("report", run, "-o", "report.csv");
  await call("export", "trace", run, "-o", "trace.json");
  await call("store", "backup", "copy.db");
  const made = [
    "run.html",
    "run.json",
    "plan.json",
    "run.log",
    "report.csv",
    "trace.json",
    "copy.db",
  ];
  expect(readdirSync(folder)).toEqual(expect.arrayContaining(made));
  const open = listOpen(folder).filter((line) => !/^(?:small\.ts|mark\.txt) /.test(line));
  expect(open).toEqual([]);
});

test("S41: who opens the store of somebody else runs nothing of theirs", async () => {
  const from = host.makeFolder({ "small.ts": SMALL });
  const ran = await host.call(["run", "small.ts", "--json"], { folder: from });
  const [, run = ""] = /"id": "([0-9a-f-]{36})"/.exec(ran.stdout) ?? [];
  expect(run).not.toBe("");
  const to = host.makeFolder({ "small.ts": SMALL, "package.json": '{"type":"module"}' });
  cpSync(join(from, ".millrace"), join(to, ".millrace"), { recursive: true });
  const mark = join(to, "mark.txt");
  const verbs = [
    ["runs"],
    ["show", run],
    ["show", `${run}/each`],
    ["items", `${run}/each`],
    ["why", run],
    ["logs", run],
    ["events", "--json"],
    ["report", run],
    ["export", "trace", run],
    ["queue"],
    ["health"],
    ["gc", "--dry-run"],
  ];
  for (const verb of verbs) {
    const answer = await host.call(verb, { folder: to });
    expect(existsSync(mark), `${verb.join(" ")}: ${answer.stderr}`).toBe(false);
  }
  // The mark does tell an import.
  await host.call(["plan", "small.ts"], { folder: to });
  expect(readFileSync(mark, "utf8")).toContain("imported");
});

test("S40: a configuration is taken from the project's folder, and the search never climbs out of it", async () => {
  const outer = host.makeFolder({
    "millrace.config.ts": `import { writeFileSync } from "node:fs"; writeFileSync(new URL("mark.txt", import.meta.url), "outer"); export default {};`,
  });
  const inner = join(outer, "inner");
  mkdirSync(inner);
  const mark = join(outer, "mark.txt");
  for (const verb of [["runs"], ["plan"], ["worker", "--drain"], ["doctor"]]) {
    await host.call(verb, { folder: inner });
  }
  expect(existsSync(mark)).toBe(false);
  await host.call(["runs"], { folder: outer });
  expect(readFileSync(mark, "utf8")).toBe("outer");
});

test("S40: JSON from outside is data: tags of our own codec and keys that reach for a prototype make no types", async () => {
  const tagged = {
    when: { "$:date": "2026-01-31T08:00:00.000Z" },
    list: { "$:map": [["a", 1]] },
    error: { "$:error": { name: "Error", message: "x" } },
    run: { "$:function": "() => process.exit()" },
  };
  const seen: unknown[] = [];
  const source = input();
  const look = stage("look", { needs: { source } }, (needs) => void seen.push(needs.source));
  const looks = pipeline("looks", { input: source, output: { look } });
  const world = makeDurableWorld("sqlite");
  const mill = await world.open([looks]);
  const lines = `${JSON.stringify({ input: tagged })}\n{"input":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}}\n`;
  const file = join(world.folder, "runs.jsonl");
  writeFileSync(file, lines);
  const bytes = (async function* () {
    yield readFileSync(file);
  })();
  await mill.import(looks, bytes);
  await mill.work({ drain: true });
  expect(seen).toHaveLength(2);
  expect(seen).toContainEqual({ input: tagged });
  expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  for (const given of seen) expect(Reflect.get(Object(given), "polluted")).toBe(undefined);
});
