// `runs`, `show`, `items` and `why` over a store with runs in several states: what they answer, as text and as
// documents, and how they refuse what is not there.

import { beforeAll, afterAll, describe, expect, test } from "vitest";
import { documentOf, startHost } from "../support/host.ts";

const host = startHost({
  "crawl.ts": `
import { definePipeline } from "millrace";
export const crawl = definePipeline({
  name: "crawl",
  defaults: { retry: { attempts: 3, initialDelay: "1ms", jitter: "none", rules: [{ match: { code: "E1" }, then: "fail" }] } },
  stages: [
    { id: "list", run: () => ["row-1", "row-2", "row-3"], retry: 1 },
    { id: "score", over: "list", key: (row) => row, timeout: "30s",
      run: (row) => { if (row === "row-2") throw new Error("HTTP 502 \\u001b[31mfrom scorer"); return row.length; } },
    { id: "save", needs: ["score"], run: () => 1 },
    { id: "version", argv: [process.execPath, "--version"], parse: "text", critical: false },
  ],
});
`,
  "good.ts": `
import { input, pipeline, stage } from "millrace";
const order = input();
const twice = stage("twice", { needs: { order } }, ({ order }) => order.n * 2);
const last = stage("last", { needs: { twice } }, ({ twice }) => twice + 1);
export const good = pipeline("good", { input: order, output: { last } });
`,
});

beforeAll(async () => {
  const made = [
    await host.call(["run", "crawl.ts"]),
    await host.call(["run", "good.ts", "--input", '{"n":4}', "--tag", "who=ana", "--key", "k1"]),
    await host.call(["rerun", "2"]),
  ];
  expect(made.map((answer) => answer.exitCode)).toEqual([1, 0, 0]);
}, 60_000);

afterAll(() => host.close());

async function ask(...argv: string[]): Promise<Record<string, unknown>> {
  const answer = await host.call([...argv, "--json"]);
  expect(answer).toMatchObject({ exitCode: 0, stderr: "" });
  return documentOf(answer);
}

async function read(...argv: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await host.call(argv);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  // Into a pipe goes no control byte but the ends of lines.
  expect(stdout.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  return stdout;
}

async function refused(...argv: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await host.call(argv);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  return stderr;
}

describe("runs", () => {
  test("R243: lists the newest first, with limit, cursor, state and since; one by id with show", async () => {
    const all = await read("runs");
    const lines = all.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^RUN {2}PIPELINE {2}STATE +STARTED +TOOK +ITEMS +WHY$/);
    expect(lines.slice(1).map((line) => line.slice(0, 1))).toEqual(["3", "2", "1"]);

    const { stdout, stderr } = await host.call(["runs", "--limit", "2"]);
    expect(stdout.split("\n")).toHaveLength(4);
    expect(stderr).toBe("more: npx millrace runs --limit 2 --cursor 2\n");
    expect((await read("runs", "--limit", "2", "--cursor", "2")).split("\n")[1]).toMatch(/^1 /);

    expect(await ask("runs", "--state", "failed")).toMatchObject({ runs: [{ name: "1" }] });
    expect(await ask("runs", "--since", "1h")).toMatchObject({ runs: { length: 3 } });
    expect(await ask("runs", "--since", "2999-01-01")).toMatchObject({ runs: [] });
    expect(await ask("runs", "--pipeline", "good", "--tag", "who=ana")).toMatchObject({
      runs: { length: 2 },
    });
    expect(await ask("runs", "--tag", "who=eva")).toMatchObject({ runs: [] });
    expect(await refused("runs", "--limit", "0")).toContain(
      "--limit: expected a whole number from 1 to 500",
    );
    expect(await refused("runs", "--limit", "501")).toContain("1 to 500");

    const { run } = await ask("show", "2");
    expect(await ask("show", String(Object(run).id))).toMatchObject({ run: { name: "2" } });
    expect(await refused("show", "01890000-0000-7000-8000-000000000000")).toContain(
      "RUN_NOT_FOUND",
    );
  });

  test("R205: a run that was made from another names it, and runs --parent lists it", async () => {
    const { run: parent } = await ask("show", "2");
    const id: unknown = Object(parent).id;

    expect(await ask("runs", "--parent", "2")).toMatchObject({ runs: [{ name: "3", parent: id }] });
    expect(await ask("runs", "--parent", "1")).toMatchObject({ runs: [] });
    expect(await ask("show", "3")).toMatchObject({ lineage: { parent: { id, name: "2" } } });
    expect(await read("show", "3")).toMatch(/^ {2}Parent +2$/m);
    expect(await refused("runs", "--parent", "zz")).toContain("RUN_NOT_FOUND");
  });

  test("text of user code is shown with its control bytes escaped", async () => {
    expect(await read("runs", "--state", "failed")).toContain("HTTP 502 \\x1b[31mfrom scorer");
  });
});

describe("show", () => {
  test("R191 R256: a run's record holds id, hash, state, stages with times, attempts and waits, and its settings", async () => {
    const { run, stages, failures } = await ask("show", "1");

    expect(run).toMatchObject({
      name: "1",
      pipeline: "crawl",
      state: "failed",
      retries: 2,
      source: "file:crawl.ts#crawl",
      settings: {},
      running: [],
      error: { stage: "score", class: "unknown" },
      metrics: {},
      tags: {},
    });
    for (const field of [
      "id",
      "definition",
      "queuedAt",
      "startedAt",
      "updatedAt",
      "endedAt",
      "durationMs",
    ]) {
      expect(run).toHaveProperty(field);
    }
    expect(stages).toMatchObject([
      { stage: "list", state: "succeeded", via: "run", attempts: 1, attemptsMax: 1 },
      { stage: "version" },
      { stage: "score", state: "failed", items: { total: 3, failed: 1 } },
      { stage: "save", state: expect.stringMatching(/upstream_failed|cancelled/) },
    ]);
    expect(failures).toMatchObject([{ stage: "score", item: "row-2", attempts: 3, count: 1 }]);
  });

  test("R98: a stage and an item are shown with state, start, end and error; unknown ones are exit 2", async () => {
    expect(await ask("show", "1/list")).toMatchObject({
      run: { name: "1" },
      stage: { state: "succeeded", startedAt: expect.any(String), endedAt: expect.any(String) },
    });
    expect(await ask("show", "1/score/row-2")).toMatchObject({
      stage: "score",
      item: {
        key: "row-2",
        state: "failed",
        startedAt: expect.any(String),
        endedAt: expect.any(String),
        input: { value: "row-2" },
        error: { class: "unknown" },
        attempts: [{ n: 1, delayMs: 1 }, { n: 2, delayMs: 2 }, { n: 3 }],
      },
    });
    expect(await read("show", "1/score/row-2")).toMatch(/^◆ failed {2}1\/score\/row-2$/m);
    expect(await refused("show", "1/nowhere")).toContain("STAGE_UNKNOWN");
    expect(await refused("show", "1/score/nothing")).toContain("ITEM_UNKNOWN");
  });

  test("R26 R199: an unknown stage is exit 2 with the valid names, in text and as data", async () => {
    expect(await refused("show", "1/scroe")).toBe(
      [
        'error: run "1" has no stage "scroe"',
        "  given  scroe",
        "  known  list, version, score, save",
        '  hint   did you mean "score"?',
        "  next   npx millrace show 1/score",
        "  code   STAGE_UNKNOWN (exit 2)",
        "",
      ].join("\n"),
    );
    const answer = await host.call(["items", "1/scroe", "--json"]);
    expect(answer.exitCode).toBe(2);
    expect(documentOf(answer)).toMatchObject({
      error: { code: "STAGE_UNKNOWN", details: { known: ["list", "version", "score", "save"] } },
    });
  });

  test("a run is shown with its stages, failures, input and next commands", async () => {
    const failed = await read("show", "1");
    const done = await read("show", "2");

    expect(failed).toMatch(/^◆ failed {2}crawl 1$/m);
    expect(failed).toMatch(/^◆ {2}score +failed/m);
    expect(failed).toMatch(/^next {2}npx millrace resume 1$/m);
    expect(failed).toMatch(/^ +npx millrace why 1\/score\/row-2$/m);
    expect(done).toMatch(/^ {2}Input +\{"n":4\}$/m);
    expect(done).toMatch(/^ {2}Key +k1$/m);
    expect(done).toMatch(/^ {2}Tags +who=ana$/m);
  });

  test("R15: --entry lists the entry stages of a file; an unknown pipeline is exit 2", async () => {
    expect(await read("show", "crawl.ts", "--entry")).toBe("list\nversion\n");
    expect(await ask("show", "crawl.ts", "--entry")).toMatchObject({
      entries: ["list", "version"],
    });
    expect(await refused("show", "crawl.ts#nope", "--entry")).toContain("PIPELINE_UNKNOWN");
  });

  test("R69 R71 R86: a pipeline is shown with every setting in force and where it came from", async () => {
    const { stages } = await ask("show", "crawl.ts");
    const ofGood = await ask("show", "good.ts");
    const pick = (list: unknown, name: string): unknown =>
      Array.isArray(list) ? list.find((stage) => stage.stage === name) : undefined;

    expect(pick(ofGood["stages"], "twice")).toMatchObject({
      settings: {
        attempts: { value: 1, origin: "default" },
        initialDelayMs: { value: 1_000, origin: "default" },
        factor: { value: 2 },
        maxDelayMs: { value: 60_000 },
        jitter: { value: "full" },
        timeoutMs: { value: null, origin: "default" },
      },
    });
    expect(pick(stages, "save")).toMatchObject({
      settings: {
        attempts: { value: 3, origin: "pipeline" },
        rules: { value: 1, origin: "pipeline" },
      },
    });
    expect(pick(stages, "list")).toMatchObject({
      settings: { attempts: { value: 1, origin: "stage" } },
    });
    expect(pick(stages, "version")).toMatchObject({
      settings: { timeoutMs: { value: 3_600_000, origin: "default" } },
    });
    expect(pick(stages, "score")).toMatchObject({
      settings: { timeoutMs: { value: 30_000, origin: "stage" } },
    });
    const text = await read("show", "crawl.ts");
    expect(text).toMatch(/^version +timeout +1h +default$/m);
    expect(text).toMatch(/^score +timeout +30s +stage$/m);
    expect(text).toMatch(/^save +attempts +3 +pipeline$/m);
  });

  test("the hidden spelling status does the same", async () => {
    expect(await read("status", "2")).toBe(await read("show", "2"));
  });
});

describe("items", () => {
  test("lists items in their order, filtered, paged, and all of them as JSON Lines with outputs", async () => {
    const text = await host.call(["items", "1/score"]);
    expect(text.exitCode).toBe(0);
    expect(text.stdout).toMatch(/^KEY +STATE +ATTEMPTS +TOOK +WHY$/m);
    expect(text.stdout).toMatch(/^row-2 +failed +3 +\S+ +HTTP 502 \\x1b\[31mfrom scorer$/m);

    const page = await ask("items", "1/score", "--state", "failed");
    expect(page).toMatchObject({
      schema: "millrace.items/1",
      run: { name: "1" },
      stage: "score",
      counts: { total: 3, failed: 1 },
      items: [{ key: "row-2", index: 1, state: "failed", attempts: 3 }],
    });
    const first = await host.call(["items", "1/score", "--limit", "1"]);
    expect(first.stderr).toMatch(/more: npx millrace items 1\/score --limit 1 --cursor \S+$/m);

    const { stdout } = await host.call(["items", "1/score", "--jsonl"]);
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(lines).toEqual(
      expect.arrayContaining([expect.objectContaining({ key: "row-1", output: 5 })]),
    );
  });

  test("an address without a stage, an unknown state and a stage without items", async () => {
    expect(await refused("items", "1")).toContain("items are listed of RUN/STAGE");
    expect(await refused("items", "1/score", "--state", "faild")).toContain(
      'did you mean "failed"?',
    );
    expect(await host.call(["items", "1/list"])).toMatchObject({
      exitCode: 0,
      stdout: "",
      stderr: "1/list: no items\n",
    });
  });
});

describe("why", () => {
  test("R68: why of a stage behind a failed one names the stage that failed", async () => {
    const { run } = await ask("show", "1");
    expect(Object(run).state).toBe("failed");
    const document = await ask("why", "1/save");

    expect(document).toMatchObject({ schema: "millrace.why/1", subject: "1/save" });
    expect(String(document["summary"])).toContain('"score"');
  });

  test("answers for a run, a stage and an item, in text and as a document", async () => {
    expect(await read("why", "1")).toContain('1 failed because "score/row-2" failed with unknown');
    expect(await read("why", "2")).toMatch(/^2 succeeded in /);
    expect(await read("why", "1/score/row-2")).toContain("attempt 1 failed with unknown: HTTP 502");
    expect(await ask("why", "1/score/row-2", "--history")).toMatchObject({
      state: "failed",
      blockers: [{ kind: "finished" }],
      history: [{ blocker: { kind: "retry" } }, { blocker: { kind: "retry" } }],
    });
    expect(await read("why", "1/score/row-2", "--history")).toContain("WAITED FOR");
    expect(await refused("why", "1//x")).toContain("is no address");
    expect(await refused("why", "zz")).toContain('the newest is "3"');
  });
});

describe("streams", () => {
  test("colour only where it is asked for, and NO_COLOR takes it away", async () => {
    const esc = "\u001B";
    expect((await host.call(["show", "1"])).stdout).not.toContain(esc);
    expect((await host.call(["show", "1", "--color", "always"])).stdout).toContain(esc);
    const forced = { FORCE_COLOR: "1" };
    expect((await host.call(["show", "1"], { env: forced })).stdout).toContain(esc);
    const both = { FORCE_COLOR: "1", NO_COLOR: "1" };
    expect((await host.call(["show", "1"], { env: both })).stdout).not.toContain(esc);
  });

  test("--ascii prints nothing above 0x7e", async () => {
    expect((await host.call(["show", "1", "--ascii"])).stdout).toMatch(/^[\n\x20-\x7e]*$/);
    expect((await host.call(["graph", "crawl.ts", "--ascii"])).stdout).toMatch(/^[\n\x20-\x7e]*$/);
    const env = { LC_ALL: "C" };
    expect((await host.call(["show", "1"], { env })).stdout).toMatch(/^[\n\x20-\x7e]*$/);
  });
});

describe("graph", () => {
  test("R16: graph prints Mermaid and DOT with every dependency, and a drawing by default", async () => {
    expect(await read("graph", "crawl.ts")).toContain("list ── score ×n ── save");
    const mermaid = await read("graph", "crawl.ts", "--format", "mermaid");
    const dot = await read("graph", "crawl.ts", "--format", "dot");

    expect(mermaid).toContain("flowchart LR");
    expect(mermaid.match(/--> /g)).toHaveLength(2);
    expect(dot).toContain('"list" -> "score";');
    expect(dot).toContain('"score" -> "save";');
    expect(await ask("graph", "crawl.ts")).toMatchObject({
      schema: "millrace.graph/1",
      stages: [
        { stage: "list", kind: "stage", needs: [], critical: true },
        { stage: "score", kind: "map", needs: ["list"] },
        { stage: "save", needs: ["score"] },
        { stage: "version", kind: "command", critical: false },
      ],
    });
  });

  test("--run adds the states of a run, and refuses a run of another pipeline", async () => {
    expect(await read("graph", "crawl.ts", "--run", "1")).toContain("✓ list ── ◆ score ×n");
    expect(await read("graph", "crawl.ts", "--run", "1", "--format", "dot")).toContain("#bc0101");
    expect(await refused("graph", "crawl.ts", "--run", "2")).toContain('is of pipeline "good"');
    expect(await refused("graph", "crawl.ts", "--format", "png")).toContain(
      "expected ascii, mermaid, dot",
    );
    expect(await refused("graph")).toContain("needs file-or-pipeline");
  });
});

describe("without a store", () => {
  test("runs says that there are none, exit 0; a named run is exit 2; a named store must exist", async () => {
    const folder = host.makeFolder({});

    expect(await host.call(["runs"], { folder })).toMatchObject({
      exitCode: 0,
      stdout: "",
      stderr: "no runs yet: there is no store here\n",
    });
    expect(documentOf(await host.call(["runs", "--json"], { folder }))).toEqual({
      schema: "millrace.runs/1",
      runs: [],
    });
    for (const argv of [
      ["show", "last"],
      ["why", "1"],
      ["items", "1/a"],
      ["cancel", "1"],
    ]) {
      const { exitCode, stderr } = await host.call(argv, { folder });
      expect(exitCode).toBe(2);
      expect(stderr).toContain("there are no runs here");
    }
    const { exitCode } = await host.call(["runs", "--store", "sqlite:nowhere.db"], { folder });
    expect(exitCode).toBe(2);
  });
});
