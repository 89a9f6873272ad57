// The configuration on the command line: what is in force and why, what is wrong with a file, and its schema.

import { afterAll, expect, test } from "vitest";
import { FILE_SCHEMA } from "../../src/config/file-schema/file-schema.ts";
import type { DefinitionFault } from "../../src/model/definition.ts";
import { parseConfig } from "../../src/config/schema.ts";
import { isRecord } from "../../src/std/record.ts";
import { documentOf, startHost } from "../support/host.ts";

const PIPELINES = `
import { definePipeline } from "millrace";
export const one = definePipeline({ name: "one", stages: [{ id: "a", run: () => 1 }] });
`;

const CONFIG = `
import { defineConfig } from "millrace";
import { one } from "./pipelines.ts";
export default defineConfig({
  store: "sqlite:file.db",
  pipelines: [one],
  provide: { db: { password: "hunter2" } },
  worker: { attemptsInFlight: 4 },
  schedules: {
    nightly: { pipeline: "one", dailyAt: "02:30", input: { apiKey: "hunter3" } },
  },
  notify: { targets: { chat: { url: "https://chat.example/hunter4", form: "slack" } } },
});
`;

const host = startHost({ "pipelines.ts": PIPELINES, "millrace.config.ts": CONFIG });

afterAll(() => host.close());

test("R278: a flag goes over a variable, a variable over the file, the file over the default, and each tells its origin", async () => {
  const print = async (env: Readonly<Record<string, string>>, ...flags: readonly string[]) => {
    const argv = ["config", "print", "store", "--json", ...flags];
    const { config, origins } = documentOf(await host.call(argv, { env }));
    const store = isRecord(config) && isRecord(config["store"]) ? config["store"]["url"] : null;
    return [store, isRecord(origins) ? origins["store"] : null];
  };
  const env = { MILLRACE_STORE: "sqlite:env.db" };
  const elsewhere = host.makeFolder({});

  expect(await print(env, "--store", "sqlite:flag.db")).toEqual(["sqlite:flag.db", "flag --store"]);
  expect(await print(env)).toEqual(["sqlite:env.db", "MILLRACE_STORE"]);
  expect(await print({})).toEqual(["sqlite:file.db", "millrace.config.ts:5"]);
  const { stdout } = await host.call(["config", "print", "store", "--origin"], {
    folder: elsewhere,
  });
  expect(stdout).toMatch(/^store +sqlite:\.millrace\/store\.db +default$/m);
});

test("R281: what is printed is everything in force, with its origin, and no secret", async () => {
  const { exitCode, stdout } = await host.call(["config", "print", "--origin"], {
    env: { MILLRACE_WORKER__LEASE: "10m" },
  });

  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^worker\.attemptsInFlight +4 +millrace\.config\.ts:8$/m);
  expect(stdout).toMatch(/^worker\.lease +10m +MILLRACE_WORKER__LEASE$/m);
  expect(stdout).toMatch(/^retention\.runs +30d +default$/m);
  expect(stdout).toMatch(/^provide +\{"db":"\*\*\*\*"\} +millrace\.config\.ts:7$/m);
  expect(stdout).not.toContain("hunter");
  const shown = documentOf(await host.call(["config", "show", "--json"]))["config"];
  const faults: DefinitionFault[] = [];
  const { notify: _masked, ...rest } = isRecord(shown) ? shown : {};
  const said = Object.entries(rest).map(([key, value]) => [key, dropNull(value)] as const);
  parseConfig(Object.fromEntries(said.filter(([, value]) => value !== undefined)), faults);
  expect(faults).toEqual([]);
});

function dropNull(value: unknown): unknown {
  if (value === null) return undefined;
  if (!isRecord(value) || Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([key, one]) => [key, dropNull(one)] as const);
  return Object.fromEntries(entries.filter(([, one]) => one !== undefined));
}

test("a key or section that does not exist is refused with the nearest", async () => {
  const { exitCode, stderr } = await host.call(["config", "print", "worker.leas"]);

  expect([exitCode, stderr.includes('did you mean "worker.lease"?')]).toEqual([2, true]);
  expect((await host.call(["config", "print", "lease"])).stderr).toContain(
    'did you mean "worker.lease"?',
  );
});

test("R281: validate lists every fault of environment, file and pipelines, each with key, value and what was expected", async () => {
  expect((await host.call(["config", "validate"])).stdout).toMatch(
    /^valid {2}.*millrace\.config\.ts: 1 pipeline, 1 schedule$/m,
  );
  host.write({
    "bad.config.ts": `export default {
      worker: { attemptsInFlight: 0, leese: "1m" },
      schedules: { never: { pipeline: "one", cron: "0 0 30 2 *" } },
      notify: { targets: { chat: { url: "hunter5", form: "slack" } } },
    };`,
    "never.config.ts": `import { one } from "./pipelines.ts";
    export default {
      pipelines: [one, 7],
    };`,
    "cron.config.ts": `export default {
      schedules: { never: { pipeline: "one", cron: "0 0 30 2 *" } },
      server: { cert: "cert.pem" },
    };`,
    "broken.config.ts": "export default {",
  });
  const faultsOf = async (file: string, env = {}): Promise<unknown> => {
    const answer = await host.call(["config", "validate", file, "--json"], { env });
    expect([answer.exitCode, answer.stdout.includes("hunter")]).toEqual([2, false]);
    expect(documentOf(answer)["valid"]).toBe(false);
    return documentOf(answer)["faults"];
  };

  expect(await faultsOf("bad.config.ts", { MILLRACE_HEALTH__PROBE_TIMEOUT: "soon" })).toMatchObject(
    [
      { source: "environment", key: "MILLRACE_HEALTH__PROBE_TIMEOUT", value: '"soon"' },
      { source: "bad.config.ts", key: "worker.leese", hint: 'did you mean "lease"?' },
      {
        source: "bad.config.ts",
        key: "worker.attemptsInFlight",
        value: "0",
        expected: "a whole number from 1 to 10000",
      },
      { key: "notify.targets.chat.url" },
    ],
  );
  expect(await faultsOf("never.config.ts")).toMatchObject([{ key: "pipelines.1" }]);
  expect(await faultsOf("cron.config.ts")).toMatchObject([
    { message: expect.stringContaining("would never fire") },
    { message: expect.stringContaining("TLS needs a certificate") },
  ]);
  expect(await faultsOf("broken.config.ts")).toMatchObject([
    { source: "broken.config.ts", message: expect.stringContaining("syntax error") },
  ]);
  expect(await faultsOf("none.config.ts")).toMatchObject([
    { message: expect.stringContaining("does not exist") },
  ]);
});

test("R281: the schema of the file is printed as JSON", async () => {
  const { exitCode, stdout } = await host.call(["config", "schema"]);

  expect([exitCode, JSON.parse(stdout)]).toEqual([0, FILE_SCHEMA]);
});
