// The verbs of the queue: what each prints, changes and ends with, by its long and its short spelling.

import { appendFileSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { documentOf, startHost, type Answer } from "../support/host.ts";

const host = startHost();
afterAll(() => host.close());

const LINE = `
import { existsSync } from "node:fs";
import { definePipeline } from "millrace";
export const line = definePipeline({
  name: "line",
  stages: [
    { id: "first", run: (input) => input },
    { id: "second", needs: ["first"], run: (input) => {
      if (input.bad === true && !existsSync("healed")) throw new Error("no second");
      return 1;
    } },
  ],
});
`;
const HELD = `
import { definePipeline } from "millrace";
export const held = definePipeline({ name: "held", stages: [{ id: "wait", run: () => 1 }] });
`;

type Call = (...argv: readonly string[]) => Promise<Answer>;

/** A folder of its own, and calls in it. */
function setup(files: Readonly<Record<string, string>> = {}): { folder: string; call: Call } {
  const folder = host.makeFolder({ "line.ts": LINE, "held.ts": HELD, ...files });
  return { folder, call: (...argv) => host.call(argv, { folder }) };
}

async function countsOf(call: Call): Promise<unknown> {
  return documentOf(await call("queue", "stats", "--json"))["counts"];
}

test("R178 R155: enqueue says whether the run is new, takes a key once, and refuses what is no JSON", async () => {
  const { call } = setup();
  const first = await call("queue", "enqueue", "line.ts", "--key", "a1");
  const again = await call("enqueue", "line.ts", "--id", "a1");
  const bad = await call("queue", "enqueue", "line.ts", "--input", "{oops");
  const other = await call("queue", "enqueue", "line.ts", "--input", '{"n":1}', "--json");

  expect(first).toEqual({ exitCode: 0, stdout: "queued 1 (new)\n", stderr: "" });
  expect(again).toEqual({ exitCode: 0, stdout: "already queued 1 (key a1)\n", stderr: "" });
  expect(bad.exitCode).toBe(2);
  expect(bad.stderr).toContain("is no JSON");
  expect(documentOf(other)).toMatchObject({
    schema: "millrace.queue-enqueue/1",
    created: true,
    run: { name: "2", state: "queued", source: "file:line.ts#line" },
  });
  expect(await countsOf(call)).toMatchObject({ total: 2, queued: 2 });
  const shown = documentOf(await call("show", "1/first", "--json"));
  expect(shown).toMatchObject({ run: { key: "a1" } });
});

test("R188: enqueue takes priority, delay and tags, and refuses what is none", async () => {
  const { call } = setup();
  await call("queue", "enqueue", "line.ts", "--delay", "1h", "--priority", "3", "--tag", "who=ana");
  const cancelled = await call("cancel", "1");
  const faults = ["--delay", "soon", "--priority", "9999", "--tag", "x"];
  const wrong = await call("queue", "enqueue", "line.ts", ...faults);

  expect(cancelled.stdout).toBe("1 cancelled\n");
  expect(documentOf(await call("show", "1", "--json"))).toMatchObject({
    run: { state: "cancelled", tags: { who: "ana" } },
    stages: [{ attempts: 0 }, { attempts: 0 }],
  });
  expect(wrong.exitCode).toBe(2);
  for (const flag of ["--delay", "--priority", "--tag"]) expect(wrong.stderr).toContain(flag);
});

test("R201: the key of a queued run is a conflict for a start, that of an ended one shows it with its exit code", async () => {
  const { call } = setup();
  await call("queue", "enqueue", "line.ts", "--key", "good");
  await call("queue", "enqueue", "line.ts", "--key", "bad", "--input", '{"bad":true}');
  const active = await call("run", "line.ts", "--input", "{}", "--key", "good");
  await call("queue", "run", "line.ts", "--drain");
  const good = await call("run", "line.ts", "--input", "{}", "--key", "good");
  const bad = await call("run", "line.ts", "--input", "{}", "--key", "bad");

  expect(active.exitCode).toBe(4);
  expect(active.stderr).toContain("RUN_KEY_CONFLICT");
  expect([good.exitCode, bad.exitCode]).toEqual([0, 1]);
  expect(await countsOf(call)).toMatchObject({ total: 2, succeeded: 1, failed: 1 });
});

test("R179 R180: import queues a line each, counts blank ones not at all, and tells bad ones with numbers", async () => {
  const lines = ['{"id":"a"}', "", "{oops", '{"artifact_id":"b"}', '{"key":"a"}', '{"id":[]}'];
  const { call } = setup({ "list.jsonl": `${lines.join("\n")}\n`, "empty.jsonl": "" });
  const none = await call("queue", "import", "list.jsonl", "line.ts", "--limit", "0");
  const all = await call("queue", "import", "list.jsonl", "line.ts");
  const strict = await call("enqueue", "line.ts", "--file", "list.jsonl", "--strict", "--json");
  const empty = await call("queue", "import", "empty.jsonl", "line.ts");
  const missing = await call("queue", "import", "nope.jsonl", "line.ts");

  expect(none).toMatchObject({ exitCode: 0, stdout: "0 lines: 0 new, 0 known, 0 bad\n" });
  expect(all).toMatchObject({ exitCode: 0, stdout: "5 lines: 2 new, 1 known, 2 bad (3, 6)\n" });
  expect(all.stderr).toContain("warning: line 3: it is no JSON");
  expect(strict.exitCode).toBe(3);
  expect(documentOf(strict)).toMatchObject({
    schema: "millrace.queue-import/1",
    lines: 5,
    created: 0,
    duplicates: 3,
    bad: [{ line: 3 }, { line: 6 }],
  });
  expect(empty.stdout).toBe("0 lines: 0 new, 0 known, 0 bad\n");
  expect(missing.exitCode).toBe(2);
  expect(missing.stderr).toContain('the file "nope.jsonl" cannot be read');
});

test("import reads stdin, a field of one's own, and envelopes", async () => {
  const { folder, call } = setup();
  const stdin = '{"key":"k","input":{"n":1},"priority":2}\n{"input":1,"prio":3}\n';
  const read = await host.call(["queue", "import", "-", "line.ts", "--envelope"], {
    folder,
    stdin,
  });
  const field = await host.call(["queue", "import", "-", "line.ts", "--key-field", "doi"], {
    folder,
    stdin: '{"doi":"10.1/x"}\n{"key":"k"}\n',
  });

  const both = ["--envelope", "--key-field", "doi"];
  expect((await call("queue", "import", "-", "line.ts", ...both)).exitCode).toBe(2);
  expect(read.stdout).toBe("2 lines: 1 new, 0 known, 1 bad (2)\n");
  expect(read.stderr).toContain('an envelope has no field "prio"');
  expect(field.stdout).toBe("2 lines: 1 new, 0 known, 1 bad (2)\n");
  expect(documentOf(await call("runs", "--json"))).toMatchObject({
    runs: [{ key: "10.1/x" }, { key: "k", priority: 2, batch: expect.any(String) }],
  });
});

test("a file that grows while it is imported is read as far as it reached", async () => {
  const { openBytes } = await import("../../src/cli/input/open-bytes.ts");
  const { folder } = setup({ "grows.jsonl": '{"id":"a"}\n' });
  const file = join(folder, "grows.jsonl");
  await using bytes = await openBytes({ cwd: folder, stdin: () => process.stdin }, "grows.jsonl");
  appendFileSync(file, '{"id":"b"}\n');
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);

  expect(Buffer.concat(chunks).toString()).toBe('{"id":"a"}\n');
});

test("R182 R157: stats are a table with a sum, or a document with all counts", async () => {
  const { call } = setup();
  await call("queue", "enqueue", "line.ts");
  await call("queue", "enqueue", "line.ts", "--delay", "1h");
  await call("run", "held.ts");
  const table = await call("queue", "stats");
  const document = documentOf(await call("stats", "--json"));

  expect(table.exitCode).toBe(0);
  const [head, first, second, waits, sum] = table.stdout.split("\n");
  expect(head).toBe(
    "PIPELINE  QUEUED  WAITING  RUNNING  SUCCEEDED  FAILED  OLDEST DUE  OUT/MIN  DRAIN",
  );
  expect(first).toMatch(/^held {6}0 .* 1 {10}0 .* – .* 1 .* –$/u);
  expect(second).toMatch(/^line {6}1 {7}1 {8}0 .*m?s {2,}0 {8}–$/u);
  expect(waits).toBe("waiting on: due 1");
  expect(sum).toBe(
    "total 3: 1 queued, 0 running, 1 waiting, 1 succeeded, 0 failed, 0 skipped, 0 cancelled",
  );
  expect(document).toMatchObject({
    schema: "millrace.queue-stats/1",
    pipelines: [{ pipeline: "held" }, { pipeline: "line", counts: { queued: 1, waiting: 1 } }],
    waiting: [{ kind: "due", name: "due", count: 1 }],
  });
  expect(document["counts"]).toEqual({
    total: 3,
    queued: 1,
    running: 0,
    waiting: 1,
    succeeded: 1,
    failed: 0,
    skipped: 0,
    cancelled: 0,
  });
});

test("R185: every verb works where there is no store yet, and makes none to ask it", async () => {
  const { folder, call } = setup();
  for (const words of [
    ["stats"],
    ["retry-failed"],
    ["retry-failed", "-n", "--json"],
    ["purge", "--state", "succeeded"],
  ]) {
    expect(await call("queue", ...words)).toMatchObject({ exitCode: 0, stderr: "" });
  }
  expect(existsSync(join(folder, ".millrace"))).toBe(false);
  expect((await call("queue", "run", "line.ts", "--drain")).exitCode).toBe(0);
  expect(await call("queue", "retry-failed")).toMatchObject({
    exitCode: 0,
    stdout: "nothing to queue: there is no such failed run\n",
  });
});

test("R183: retry-failed counts, asks, and queues what failed again, which then succeeds", async () => {
  const { call, folder } = setup();
  await call("queue", "enqueue", "line.ts", "--input", '{"bad":true}');
  await call("queue", "enqueue", "line.ts");
  expect((await call("queue", "run", "line.ts", "--drain")).exitCode).toBe(1);

  expect((await call("queue", "retry-failed", "-n")).stdout).toBe("would queue 1 failed run\n");
  const unasked = await call("queue", "retry-failed", "--pipeline", "line");
  expect(unasked.exitCode).toBe(2);
  expect(unasked.stderr).toContain("npx millrace queue retry-failed --pipeline line -n");
  expect(await countsOf(call)).toMatchObject({ failed: 1, queued: 0 });

  const queued = await call("retry-failed", "--yes", "--json");
  expect(documentOf(queued)).toEqual({
    schema: "millrace.queue-retry-failed/1",
    matching: 1,
    changed: 1,
    skipped: [],
    spreadMs: 0,
  });
  appendFileSync(join(folder, "healed"), "");
  expect((await call("queue", "run", "line.ts", "--drain")).exitCode).toBe(0);
  expect(documentOf(await call("show", "1", "--json"))).toMatchObject({
    run: { state: "succeeded", resumes: 1 },
    stages: [{ stage: "first", attempts: 1 }, { stage: "second" }],
  });
});

test("a failed run whose pipeline is gone is left as it was, with the reason", async () => {
  const { call, folder } = setup();
  await call("run", "line.ts", "--input", '{"bad":true}');
  rmSync(join(folder, "line.ts"));
  const outcome = await call("queue", "retry-failed", "--yes");

  expect(outcome.exitCode).toBe(0);
  expect(outcome.stdout).toBe("queued 0 failed runs, left 1 as it was\n");
  expect(outcome.stderr).toContain('left 1: This process knows no pipeline "line".');
});

test("R184: requeue makes a new run linked to the old, of one that has ended, or of a batch", async () => {
  const { call } = setup({ "list.jsonl": '{"id":"a"}\n{"id":"b"}\n' });
  const imported = documentOf(await call("queue", "import", "list.jsonl", "line.ts", "--json"));
  const early = await call("queue", "requeue", "1");
  await call("queue", "run", "line.ts", "--drain");
  const one = await call("queue", "requeue", "1");
  const batch = String(imported["batch"]);
  const unasked = await call("queue", "requeue", "--batch", batch);
  const all = await call("queue", "requeue", "--batch", batch, "--yes", "--json");
  const unknown = await call("queue", "requeue", "zz");
  const both = await call("queue", "requeue", "1", "--batch", batch);

  expect(early).toMatchObject({ exitCode: 0, stdout: "queued 0 runs, left 1 as it was\n" });
  expect(one.stdout).toBe("queued 3 (a rerun of 1)\nqueued 1 run\n");
  const first = documentOf(await call("show", "1", "--json"))["run"];
  const third = documentOf(await call("show", "3", "--json"))["run"];
  expect(third).toMatchObject({ state: "queued", parent: (first as { id: string }).id });
  expect(unasked.exitCode).toBe(2);
  expect(documentOf(all)).toMatchObject({ matching: 2, changed: 2, skipped: [] });
  expect([unknown.exitCode, both.exitCode]).toEqual([2, 2]);
});

test("R101: purge deletes what has ended and nothing else, when it was told to", async () => {
  const { call } = setup();
  await call("run", "held.ts");
  await call("run", "held.ts");
  await call("run", "line.ts", "--input", '{"bad":true}');
  await call("queue", "enqueue", "line.ts");

  const purge = ["queue", "purge", "--state", "succeeded"];
  expect((await call(...purge, "-n")).stdout).toBe("would delete 2 runs\n");
  expect((await call(...purge)).exitCode).toBe(2);
  expect((await call(...purge, "--older-than", "1h", "--yes")).stdout).toBe(
    "nothing to delete: there is no such run\n",
  );
  expect(await countsOf(call)).toMatchObject({ total: 4 });
  expect(await call(...purge, "--yes")).toMatchObject({ exitCode: 0, stdout: "deleted 2 runs\n" });
  expect(await countsOf(call)).toMatchObject({ total: 2, succeeded: 0, failed: 1, queued: 1 });
  expect((await call("show", "1")).exitCode).toBe(2);
  expect((await call("queue", "purge", "--state", "running", "--yes")).exitCode).toBe(2);
  expect((await call("queue", "purge", "--yes")).exitCode).toBe(2);
});

test("cancel --state counts, asks, and ends what is queued of one pipeline", async () => {
  const { call } = setup();
  for (const key of ["a", "b"]) await call("queue", "enqueue", "line.ts", "--key", key);
  await call("queue", "enqueue", "line.ts", "--key", "c", "--delay", "1h");
  await call("queue", "enqueue", "held.ts");
  const cancel = ["cancel", "--pipeline", "line", "--state", "queued"];

  expect((await call(...cancel, "-n")).stdout).toBe("would cancel 2 runs\n");
  const unasked = await call(...cancel);
  expect(unasked.exitCode).toBe(2);
  expect(unasked.stderr).toContain("npx millrace cancel --pipeline line --state queued -n");
  const done = await call(...cancel, "--yes", "--reason", "wrong file", "--json");
  expect(documentOf(done)).toMatchObject({ matching: 2, changed: 2, skipped: [], results: [] });
  expect(documentOf(await call("show", "1", "--json"))).toMatchObject({
    run: { state: "cancelled", reason: "wrong file" },
  });
  expect((await call(...cancel, "--yes")).stdout).toBe("nothing to cancel: there is no such run\n");
  for (const words of [
    ["1", "--state", "queued"],
    [],
    ["--pipeline", "line"],
    ["--state", "failed", "--yes"],
    ["--state", "queued", "--wait", "--yes"],
  ])
    expect((await call("cancel", ...words)).exitCode).toBe(2);
});
