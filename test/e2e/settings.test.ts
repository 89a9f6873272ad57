// Settings as a shell gives them: flag over environment over file over default, with bounds, and with one
// paragraph for each source that is wrong.

import { afterAll, describe, expect, test } from "vitest";
import { documentOf, startHost, type CallOptions } from "../support/host.ts";

const PIPELINE = `
import { definePipeline } from "millrace";
export const one = definePipeline({ name: "one", stages: [{ id: "a", run: () => 1 }] });
export const two = definePipeline({ name: "two", stages: [{ id: "b", run: () => 2 }] });
`;

const CONFIG = `
import { defineConfig } from "millrace";
import { one, two } from "./pipelines.ts";
export default defineConfig({
  store: "sqlite:file.db",
  pipelines: [one, two],
  worker: { attemptsInFlight: 4 },
});
`;

const host = startHost({ "pipelines.ts": PIPELINE, "millrace.config.ts": CONFIG });

afterAll(() => host.close());

async function settingsOf(argv: readonly string[], options: CallOptions = {}): Promise<unknown> {
  return documentOf(await host.call(["show", "one", "--json", ...argv], options))["settings"];
}

async function refused(argv: readonly string[], options: CallOptions = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await host.call(argv, options);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  return stderr;
}

describe("precedence", () => {
  test("R279: a flag beats MILLRACE_STORE, which beats the file, which beats the default; each says its origin", async () => {
    const env = { MILLRACE_STORE: "sqlite:env.db", MILLRACE_WORKER__ATTEMPTS_IN_FLIGHT: "7" };

    expect(await settingsOf([])).toMatchObject({
      store: { value: "sqlite:file.db", origin: "millrace.config.ts: store" },
      attemptsInFlight: { value: 4, origin: "millrace.config.ts: worker.attemptsInFlight" },
      logLevel: { value: "info", origin: "default" },
    });
    expect(await settingsOf([], { env })).toMatchObject({
      store: { value: "sqlite:env.db", origin: "MILLRACE_STORE" },
      attemptsInFlight: { value: 7, origin: "MILLRACE_WORKER__ATTEMPTS_IN_FLIGHT" },
    });
    expect(await settingsOf(["--store", "memory:"], { env })).toMatchObject({
      store: { value: "memory:", origin: "flag --store" },
    });
  });

  test("defaults for stages come from file and environment, stand under the pipeline's own, and are in force", async () => {
    const env = {
      MILLRACE_DEFAULTS__RETRY: '{"attempts":2,"initialDelay":1}',
      MILLRACE_DEFAULTS__TIMEOUT: "9s",
    };
    const folder = host.makeFolder({
      "flaky.ts": `import { definePipeline } from "millrace";
let calls = 0;
export const flaky = definePipeline({ name: "flaky", stages: [
  { id: "a", run: () => { calls += 1; if (calls === 1) throw new Error("once"); return calls; } },
  { id: "b", run: () => 1, timeout: "1s" },
] });`,
    });
    const shown = documentOf(await host.call(["show", "flaky.ts", "--json"], { env, folder }));

    expect(shown["stages"]).toMatchObject([
      {
        settings: {
          attempts: { value: 2, origin: "MILLRACE_DEFAULTS__RETRY" },
          timeoutMs: { value: 9_000, origin: "MILLRACE_DEFAULTS__TIMEOUT" },
        },
      },
      { settings: { timeoutMs: { value: 1_000, origin: "stage" } } },
    ]);
    expect((await host.call(["run", "flaky.ts"], { env, folder })).exitCode).toBe(0);
    expect((await host.call(["show", "last/a"], { folder })).stdout).toContain("once");
  });

  test("the store of the configuration is the one that runs are kept in and asked for", async () => {
    expect((await host.call(["run", "one"])).exitCode).toBe(0);

    expect((await host.call(["show", "last"])).stdout).toContain("one 1");
    expect((await host.call(["show", "last", "--store", "sqlite:file.db"])).exitCode).toBe(0);
    expect((await host.call(["show", "last", "--store", "sqlite:other.db"])).exitCode).toBe(2);
  });
});

describe("configuration", () => {
  test("R280: a named configuration that does not exist is exit 2, whatever the verb", async () => {
    for (const argv of [
      ["run", "one"],
      ["runs"],
      ["show", "last"],
      ["plan", "one"],
      ["why", "last"],
    ]) {
      expect(await refused([...argv, "--config", "nowhere.config.ts"])).toContain(
        'error: the configuration "nowhere.config.ts" does not exist',
      );
    }
  });

  test("the only pipeline needs no name, several are listed, and a name is found with its nearest", async () => {
    expect(await refused(["run"])).toContain(
      'error: "millrace.config.ts" holds 2 pipelines: "one" and "two"',
    );
    expect(await refused(["run", "tow"])).toContain('hint   did you mean "two"?');
    expect((await host.call(["plan", "two"])).stdout).toMatch(/^two /);
    const folder = host.makeFolder({
      "pipelines.ts": PIPELINE,
      "millrace.config.ts": CONFIG.replace("[one, two]", "[two]"),
    });
    expect((await host.call(["plan"], { folder })).stdout).toMatch(/^two /);
    expect((await host.call(["plan"], { folder: host.makeFolder({}) })).stderr).toContain(
      "next   npx millrace init",
    );
  });

  test("a configuration may be named as the pipeline's file, and commands then name it too", async () => {
    const folder = host.makeFolder({ "sub/pipelines.ts": PIPELINE, "sub/my.config.ts": CONFIG });

    const planned = await host.call(["plan", "sub/my.config.ts#two"], { folder });
    const run = await host.call(["run", "sub/my.config.ts#two"], { folder });

    expect(planned.stdout).toMatch(/^start: npx millrace run two --config sub\/my.config.ts$/m);
    expect(run.exitCode).toBe(0);
    expect(run.stderr).toContain("npx millrace show 1 --config sub/my.config.ts");
    expect(
      (await host.call(["rerun", "1", "--config", "sub/my.config.ts"], { folder })).exitCode,
    ).toBe(0);
  });

  test("a pipeline's name wins over a run that is named the same", async () => {
    expect((await host.call(["show", "one"])).stdout).toMatch(/^one [0-9a-f]{16}$/m);
    expect((await host.call(["show", "1"])).stdout).toContain("one 1");
  });

  test("R283: another spelling of a key is refused with the right one; all faults of a file come together", async () => {
    const folder = host.makeFolder({
      "millrace.config.ts": `export default { log_level: "info", worker: { attemptsInFlight: "4" }, schedules: [] };`,
    });

    const told = await refused(["runs"], { folder });

    expect(told).toContain("is not valid, 3 faults:");
    expect(told).toContain(
      'log_level: "log_level" is not an option here (did you mean "logLevel"?)',
    );
    expect(told).toContain(
      'worker.attemptsInFlight: expected a whole number from 1 to 10000; got "4"',
    );
    expect(told).toContain("schedules: expected a record of schedules by name; got a list of 0");
  });

  test("a configuration that cannot be loaded, or lists what is no pipeline, is exit 2", async () => {
    const broken = host.makeFolder({ "millrace.config.ts": "enum A { B }\nexport default {};\n" });
    const wrong = host.makeFolder({ "millrace.config.ts": "export default { pipelines: [{}] };" });

    expect(await refused(["runs"], { folder: broken })).toContain(
      "millrace.config.ts:1: TypeScript enum",
    );
    expect(await refused(["plan", "one"], { folder: wrong })).toContain(
      "pipelines.0: expected a pipeline",
    );
  });

  test("no configuration is searched for above the working folder", async () => {
    const folder = host.makeFolder({
      "millrace.config.ts": "throw new Error();",
      "below/x.txt": "",
    });

    expect((await host.call(["runs"], { folder: `${folder}/below` })).exitCode).toBe(0);
  });
});

describe("numbers", () => {
  test("R95: -j 0 and -j -1 are exit 2 with a clear message", async () => {
    for (const count of ["0", "-1"]) {
      expect(await refused(["run", "one", "-j", count])).toContain(
        `error: -j: expected a whole number from 1 to 10000, a share of the cores such as 50%, or auto; got "${count}"`,
      );
    }
  });

  test.each([
    ["attemptsInFlight 0", ["runs"], { MILLRACE_WORKER__ATTEMPTS_IN_FLIGHT: "0" }],
    ["attemptsInFlight 1e9", ["runs"], { MILLRACE_WORKER__ATTEMPTS_IN_FLIGHT: "1000000000" }],
    ["attemptsInFlight null", ["runs"], { MILLRACE_WORKER__ATTEMPTS_IN_FLIGHT: "null" }],
    ["busyTimeout -1", ["runs"], { MILLRACE_STORE__BUSY_TIMEOUT: "-1" }],
    ["busyTimeout 11m", ["runs"], { MILLRACE_STORE__BUSY_TIMEOUT: "11m" }],
    ["timeout 0", ["runs"], { MILLRACE_DEFAULTS__TIMEOUT: "0" }],
    ["retry 0", ["runs"], { MILLRACE_DEFAULTS__RETRY: "0" }],
    ["retry 1001", ["runs"], { MILLRACE_DEFAULTS__RETRY: "1001" }],
    ["retry factor", ["runs"], { MILLRACE_DEFAULTS__RETRY: '{"factor":0.5}' }],
    ["--limit 0", ["runs", "--limit", "0"], {}],
    ["--limit 501", ["items", "1/a", "--limit", "501"], {}],
    ["--limit x", ["runs", "--limit", "x"], {}],
    ["--deadline 0s", ["run", "one", "--deadline", "0s"], {}],
    ["--deadline 400d", ["run", "one", "--deadline", "400d"], {}],
    ["-j 10001", ["run", "one", "-j", "10001"], {}],
    ["-j 0%", ["run", "one", "-j", "0%"], {}],
  ])("R282: %s is exit 2 and says what was expected", async (_name, argv, env) => {
    expect(await refused(argv, { env })).toMatch(/expected /);
  });

  test("R283: a duration without a unit is exit 2", async () => {
    expect(await refused(["run", "one", "--deadline", "30"])).toContain('write "30ms" or "30s"');
  });
});

describe("the lease of workers", () => {
  test("R163: one that a healthy worker could not keep is exit 2 with the numbers, wherever it was set", async () => {
    const short = host.makeFolder({
      "millrace.config.ts": `export default { worker: { heartbeat: "11s" } };`,
    });

    const told = await refused(["runs"], { folder: short });
    expect(told).toContain("worker.lease: 30s (default)");
    expect(told).toContain("worker.heartbeat: 11s (millrace.config.ts: worker.heartbeat)");
    expect(told).toContain("30000 < 3 · 11000 + 5000 + 10000");
    const env = { MILLRACE_WORKER__LEASE: "20s" };
    expect(await refused(["run", "one"], { env })).toContain("20000 < 3 · 5000 + 5000 + 10000");
    expect(await refused(["plan", "one"], { env })).toContain("(MILLRACE_WORKER__LEASE)");
  });

  test("R163: what the file says is in force, in the foreground and in the queue", async () => {
    const folder = host.makeFolder({
      "leased.ts": `
        import { DatabaseSync } from "node:sqlite";
        import { definePipeline } from "millrace";
        const run = () => {
          const store = new DatabaseSync("held.db", { readOnly: true });
          const sql = "SELECT max(lease_expires_at_ms) AS ends FROM runs WHERE state = 'running'";
          const { ends } = store.prepare(sql).get();
          store.close();
          return Math.round((ends - Date.now()) / 60_000);
        };
        export const leased = definePipeline({ name: "leased", stages: [{ id: "minutes", run }] });`,
      "millrace.config.ts": `
        import { leased } from "./leased.ts";
        const worker = { lease: "10m", heartbeat: "30s" };
        export default { store: "sqlite:held.db", pipelines: [leased], worker };`,
    });

    const run = await host.call(["run", "leased", "--json"], { folder });
    await host.call(["queue", "enqueue", "leased"], { folder });
    const queue = await host.call(["queue", "run", "--drain"], { folder });
    const shown = await host.call(["show", "2/minutes", "--json"], { folder });

    expect(documentOf(run)).toMatchObject({ outputs: { minutes: 10 } });
    expect(queue.exitCode).toBe(0);
    expect(documentOf(shown)).toMatchObject({ stage: { output: { value: 10 } } });
  });
});

describe("usage", () => {
  test("faults of a command line come together, as text and as a document", async () => {
    const argv = ["runs", "--limit", "0", "--state", "faild", "--since", "x"];

    expect(await refused(argv)).toContain("error: 3 faults on the command line:\n  --state:");
    const answer = await host.call([...argv, "--json"]);
    expect(documentOf(answer)).toMatchObject({
      schema: "millrace.error/1",
      error: { code: "USAGE_INVALID", details: { faults: { length: 3 } } },
    });
  });

  test("a bad --log or MILLRACE_LOG is refused with the forms there are", async () => {
    expect(await refused(["runs", "--log", "lins"])).toContain('did you mean "lines"?');
    expect(await refused(["runs"], { env: { MILLRACE_LOG: "x" } })).toContain(
      "expected auto, live",
    );
  });
});
