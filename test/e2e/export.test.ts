// `export checkpoint` and `export trace` of runs that failed, retried and go on, read back by what others read
// such files with.

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { documentOf, startHost } from "../support/host.ts";

const host = startHost({
  "review.ts": `
import { definePipeline } from "millrace";
const tries = new Map();
export const review = definePipeline({
  name: "review",
  failFast: false,
  defaults: { retry: { attempts: 2, initialDelay: "1ms", jitter: "none" } },
  stages: [
    { id: "list", run: () => ["a.pdf", "b.pdf", "=c.pdf", "d.pdf"] },
    { id: "read", over: "list", key: (name) => name, onItemFailure: "continue", run: (name) => {
      const n = (tries.get(name) ?? 0) + 1;
      tries.set(name, n);
      if (name === "b.pdf" && n === 1) throw new Error("HTTP 503");
      if (name === "=c.pdf") throw Object.assign(new Error("HTTP 404, \\"gone\\"\\n\\u001b[31mred"), { status: 404 });
      return name.length;
    } },
    { id: "judge", over: "list", key: (name) => name, needs: ["read"], run: (name) => name },
  ],
});
`,
});

beforeAll(async () => {
  const { exitCode } = await host.call(["run", "review.ts", "-k"]);
  expect([0, 1]).toContain(exitCode);
}, 60_000);

afterAll(() => host.close());

const time = z.iso.datetime({ precision: 3 });
const status = z.enum(["pending", "in_progress", "retrying", "completed", "failed", "skipped"]);
const stage = z.strictObject({
  status,
  state: z.string(),
  started_at: time.nullable(),
  completed_at: time.nullable(),
  duration: z.number().min(0).nullable(),
  attempts: z.int().min(0),
  retries: z.int().min(0),
  last_error: z.string().max(500).nullable(),
});
const form = z.strictObject({
  run_id: z.uuid(),
  version: z.literal("2.0.0"),
  pipeline: z.string(),
  status,
  created_at: time,
  last_updated: time,
  stages: z.record(
    z.string(),
    z.strictObject({
      status,
      state: z.string(),
      started_at: time.nullable(),
      completed_at: time.nullable(),
      duration: z.number().nullable(),
      attempts: z.int(),
      error: z.string().max(500).nullable(),
      reason: z.string().optional(),
      retry_history: z.array(
        z.strictObject({
          attempt: z.int(),
          failed_at: time,
          error: z.string().max(200),
          next_delay: z.number().nullable(),
        }),
      ),
    }),
  ),
  papers: z.record(
    z.string(),
    z.strictObject({
      stage: z.string(),
      status,
      stages: z.record(z.string(), stage),
      retries: z.int().min(0),
      started_at: time.nullable(),
      completed_at: time.nullable(),
      last_error: z.string().max(500).nullable(),
      errors: z.array(
        z.strictObject({
          stage: z.string(),
          attempt: z.int().min(1),
          failed_at: time.nullable(),
          class: z.string(),
          error: z.string().max(200),
          next_delay: z.number().nullable(),
        }),
      ),
    }),
  ),
  stats: z.strictObject({
    total: z.int(),
    processed: z.int(),
    successful: z.int(),
    failed: z.int(),
    skipped: z.int(),
    in_progress: z.int(),
    pending: z.int(),
    retries: z.int(),
  }),
});

describe("export checkpoint", () => {
  test("R257: each item has state, times, attempts, last error and errors, as the store and the older form tell them", async () => {
    const { exitCode, stdout, stderr } = await host.call(["export", "checkpoint", "last"]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const document = form.parse(JSON.parse(stdout));

    expect(Object.keys(document.papers)).toEqual(["a.pdf", "b.pdf", "=c.pdf", "d.pdf"]);
    expect(document.papers["b.pdf"]).toMatchObject({
      retries: 1,
      stages: { read: { status: "completed", attempts: 2, retries: 1 } },
      errors: [{ stage: "read", attempt: 1, error: "HTTP 503", next_delay: 0.001 }],
    });
    expect(document.papers["=c.pdf"]?.stages["read"]).toMatchObject({
      status: "failed",
      state: "failed",
    });
    expect(document.papers["=c.pdf"]?.last_error).toMatch(/^HTTP 404, "gone"\n/);
    expect(document.stats.total).toBe(4);

    const items = documentOf(await host.call(["items", "last/read", "--json"]));
    const rows = z
      .array(z.object({ key: z.string(), state: z.string(), attempts: z.int() }))
      .parse(items["items"]);
    for (const { key, state, attempts } of rows) {
      expect(document.papers[key]?.stages["read"]).toMatchObject({ state, attempts });
    }
  });

  test("a file is made whole, for its owner, and never in the place of another", async () => {
    const made = await host.call(["export", "checkpoint", "last", "-o", "out.json", "--json"]);
    expect(made.exitCode).toBe(0);
    const path = join(host.folder, "out.json");
    const { size, mode } = statSync(path);
    expect(documentOf(made)).toEqual({
      schema: "millrace.export-checkpoint/1",
      file: "out.json",
      bytes: size,
      rows: 4,
    });
    expect(mode & 0o777).toBe(0o600);
    form.parse(JSON.parse(readFileSync(path, "utf8")));

    writeFileSync(path, "mine");
    const again = await host.call(["export", "checkpoint", "last", "-o", "out.json"]);
    expect(again).toMatchObject({ exitCode: 4, stdout: "" });
    expect(again.stderr).toContain("code   FILE_EXISTS (exit 4)");
    expect(readFileSync(path, "utf8")).toBe("mine");
    const names = readdirSync(host.folder).filter((name) => name.includes(".new"));
    expect(names).toEqual([]);
  });

  test("what cannot be written or is not there ends with its code, and leaves no file", async () => {
    const noFolder = await host.call(["export", "checkpoint", "last", "-o", "no/out.json"]);
    expect(noFolder.exitCode).toBe(6);
    expect(noFolder.stderr).toContain("FILE_UNWRITABLE");
    const noRun = await host.call(["export", "checkpoint", "zz", "-o", "none.json"]);
    expect(noRun.exitCode).toBe(2);
    expect(noRun.stderr).toContain("RUN_NOT_FOUND");
    expect(existsSync(join(host.folder, "none.json"))).toBe(false);
    mkdirSync(join(host.folder, "there"));
    expect((await host.call(["export", "trace", "last", "-o", "there"])).exitCode).toBe(4);
  });
});

describe("export trace", () => {
  test("tells every attempt and wait once, and no formula, no byte that a terminal obeys", async () => {
    const { exitCode, stdout, stderr } = await host.call(["export", "trace", "last"]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const lines = stdout.split("\r\n");

    expect(lines[0]).toBe(
      "run,stage,item,kind,attempt,state,class,message,startedAt,endedAt,durationMs,cause",
    );
    const ofB = lines.filter((line) => line.includes(",read,b.pdf,"));
    expect(ofB.map((line) => line.split(",").slice(3, 6).join())).toEqual([
      "attempt,1,failed",
      "wait,1,",
      "attempt,2,succeeded",
    ]);
    expect(ofB[1]).toMatch(/,1,retry$/);
    expect(stdout).toContain(`1,read,'=c.pdf,attempt,`);
    expect(stdout).toContain(`"HTTP 404, ""gone""\n\\u001b[31mred"`);
    expect(stdout.replaceAll(/[\r\n]/g, "")).not.toMatch(/\p{Cc}/u);
  });

  test("as JSON Lines with the same rows, by flag, by --json and by the ending of the file", async () => {
    const { stdout } = await host.call(["export", "trace", "last", "--format", "jsonl"]);
    const rows = stdout.trimEnd().split("\n");
    expect((await host.call(["export", "trace", "last", "--json"])).stdout).toBe(stdout);
    const made = await host.call(["export", "trace", "last", "-o", "trace.jsonl"]);
    expect(made.stdout).toMatch(new RegExp(`^wrote trace.jsonl: ${rows.length} rows, `));
    expect(JSON.parse(rows[0] ?? "")).toMatchObject({
      run: "1",
      stage: "list",
      state: "succeeded",
    });

    const refused = await host.call(["export", "trace", "last", "--json", "--format", "csv"]);
    expect(refused.exitCode).toBe(2);
  });
});
