// Twenty secrets, each let slip in another way, are looked for in all that is kept and answered: the file of the store,
// every route that can be read, events, their archive, reports and what a terminal shows.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, test } from "vitest";
import { command, map, pipeline, secret, skip, stage } from "../../src/exports/index.ts";
import type { Context, Secret } from "../../src/exports/index.ts";
import { IsolatedContext } from "../../src/engine/executors/isolated/isolated-context.ts";
import { encodeOrThrow } from "../../src/engine/run-core.ts";
import { ALL_ROUTES } from "../../src/http/all-routes.ts";
import { STREAM_ROUTES } from "../../src/http/live/live-stream.ts";
import { ERROR_CHARS_MAX } from "../../src/model/limits.ts";
import { ROLES } from "../../src/service/access/identity.ts";
import { startArchive } from "../../src/service/events/open-archive.ts";
import { startHost } from "../support/host.ts";
import { makeDurableWorld } from "../support/durable/durable-world.ts";
import { makeHttpWorld } from "../support/http-world.ts";

const host = startHost();
afterAll(() => host.close());

/** What a canary is known by: nothing that an address or JSON writes in another way. */
const coreOf = (number: number): string => `kanarie${String(number).padStart(2, "0")}x7f3a9b2c`;
const canaryOf = (number: number): Secret =>
  secret(`canary-${number}`, `${coreOf(number)}/"p w\\+ü=${number}`);

/** Fails if a text holds a canary: its core, half of it, or what base64 makes of it. */
function checkNone(text: string, where: string): void {
  for (let number = 0; number < 30; number++) {
    const core = coreOf(number);
    const places = [0, 1, 2].map((offset) =>
      Buffer.from("\0".repeat(offset) + core)
        .toString("base64")
        .slice(offset === 0 ? 0 : offset + 1, 18),
    );
    for (const needle of [core, core.slice(0, 11), ...places]) {
      const at = text.indexOf(needle);
      assert.equal(at, -1, `${where} holds canary ${number}: ${text.slice(at - 80, at + 60)}`);
    }
  }
}

function readFolder(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
    .join("\n");
}

const basic = (value: string): string => Buffer.from(`user:${value}`).toString("base64");

const listening = Promise.withResolvers<void>();

/** The ways in which code lets one slip. */
const SLIPS: readonly ((value: string, ctx: Context) => unknown)[] = [
  (value) => {
    throw new Error(`login with ${value} failed`);
  },
  (value) => {
    throw new Error("outer", { cause: new Error("inner", { cause: new Error(value) }) });
  },
  (value) => {
    throw new AggregateError([new Error("one"), new Error(value)], "all failed");
  },
  (value) => {
    const url = `https://api.example/?${new URLSearchParams({ key: value }).toString()}`;
    throw Object.assign(new Error(`GET ${url} gave 500`), { url });
  },
  (value) => {
    const headers = { authorization: `Basic ${basic(value)}`, cookie: [`session=${value}`] };
    throw Object.assign(new Error("401"), { config: { headers } });
  },
  (value) => {
    throw new Error(`the server said ${JSON.stringify({ error: { token: value } })}`);
  },
  (value) => {
    // oxlint-disable-next-line typescript/only-throw-error
    throw `no good: ${value}`;
  },
  (value, ctx) => ctx.log.info(`using ${value}`, { deep: [{ key: value }], [value]: 1 }),
  (value, ctx) => ctx.emit(`found ${value}`, { body: JSON.stringify({ value }) }),
  async (value, ctx) => {
    // Progress is told live alone.
    await listening.promise;
    ctx.progress(1, 2, `at ${encodeURIComponent(value)}`);
  },
  (value) => skip(`not with ${value}`),
  (value) => {
    throw Object.assign(new Error("no"), { code: value });
  },
  (value) => {
    const before = "x".repeat(ERROR_CHARS_MAX - 40);
    throw new Error(`${before}${value}${"y".repeat(40)}`);
  },
  (value) => {
    const error = new Error("no");
    error.stack = `Error: no\n    at connect (https://u:${value}@db.example/x.js:1:1)`;
    throw error;
  },
  (value) => {
    using database = new DatabaseSync(":memory:");
    database.exec(`SELECT * FROM "${value.replaceAll('"', '""')}"`);
  },
  async (value, ctx) => void (await ctx.artifact(`of ${value}.txt`, "text")),
  (value) => {
    throw Object.assign(new Error("no"), {
      [value]: new Map([[value, value]]),
      request: { value },
    });
  },
];

const ENVIRONMENT = { PATH: process.env["PATH"], HOME: "/nowhere" };

function makeLeaky() {
  const letSlip = map(
    "slip",
    {
      over: SLIPS.map((_slip, number) => `item-${number}`),
      key: (item) => item,
      onItemFailure: "continue",
      retry: { attempts: 2, initialDelay: 1, jitter: "none" },
    },
    (item, _needs, ctx) => {
      const number = Number(item.slice("item-".length));
      return SLIPS[number]?.(canaryOf(number).reveal(), ctx);
    },
  );
  // Its own pieces, half a secret each, and on stderr as the reason why it failed.
  const child = command("child", {
    argv: [
      process.execPath,
      "-e",
      `const [a, b] = [process.env.KEY.slice(0, 9), process.env.KEY.slice(9)];
       process.stdout.write(a); setTimeout(() => process.stdout.write(b + "\\n"), 20);
       setTimeout(() => { process.stderr.write("x".repeat(65530) + a + b + "\\n" + a + b); process.exitCode = 3; }, 40);`,
    ],
    env: { KEY: canaryOf(20) },
  });
  const rules = stage(
    "rules",
    {
      retry: { attempts: 1 },
      classify: () => {
        throw new Error(`in classify ${canaryOf(21).reveal()}`);
      },
    },
    () => {
      throw new Error("no");
    },
  );
  const probed = stage(
    "probed",
    {
      health: () => {
        throw new Error(`cannot reach ${canaryOf(22).reveal()}`);
      },
    },
    () => {
      throw new Error(canaryOf(23).reveal());
    },
  );
  const argument = command("argument", { argv: ["true", `--key=${canaryOf(24).reveal()}`] });
  return pipeline("leaky", {
    failFast: false,
    stages: [letSlip, child, rules, probed, argument],
  });
}

test("G14 S28 S30: of twenty secrets none is in the store, the archive, an event or an answer to any role", async () => {
  const world = makeDurableWorld("sqlite");
  const archive = join(world.folder, "events");
  const leaky = makeLeaky();
  const { mill, ask, tokenOf } = await makeHttpWorld(ALL_ROUTES, {
    pipelines: [leaky],
    open: { store: world.url, environment: ENVIRONMENT, events: { archive: { folder: archive } } },
  });
  await startArchive(mill);
  const started = await mill.start(leaky, undefined);
  const told: unknown[] = [];
  started.onEvent((event) => told.push(event));
  listening.resolve();
  const result = await started.result();
  expect(result.state).toBe("failed");
  checkNone(JSON.stringify(result.errors), "the result");

  const stages = ["slip", "child", "rules", "probed", "argument"];
  const keys = SLIPS.map((_slip, number) => `item-${number}`);
  const streams = new Set(STREAM_ROUTES.map(({ path }) => path));
  const asked = ALL_ROUTES.filter(({ method, path }) => method === "GET" && !streams.has(path));
  const fill = (path: string, [stageName = "", key = ""]: readonly string[]): string =>
    path
      .replace("{run}", result.id)
      .replace("{stage}", stageName)
      .replace("{key}", key)
      .replace("{name}", "leaky")
      .replace("{id}", "1");
  const paths = new Set(
    asked.flatMap(({ path }) => [
      ...stages.map((name) => fill(path, [name, ""])),
      ...keys.map((key) => fill(path, ["slip", key])),
    ]),
  );
  let answers = 0;
  let marks = JSON.stringify(told);
  checkNone(marks, "what is told live");
  for (const role of ROLES) {
    const token = await tokenOf(role);
    for (const path of paths) {
      const { text, status } = await ask("GET", path, { token });
      if (status === 200) answers += 1;
      marks += text;
      checkNone(text, `${role} GET ${path}`);
    }
  }
  expect(answers).toBeGreaterThan(100);
  const events = await mill.store.listEvents({ after: 0, limit: 1_000 });
  checkNone(JSON.stringify(events), "events");
  await mill.close({ drainMs: 0 });
  const kept = readFolder(world.folder);
  // What was kept out is told by name, so nothing was lost before it came to the doors.
  const slipped = [...SLIPS.keys(), 20, 21, 22, 23, 24];
  const unseen = slipped.filter((number) => !(kept + marks).includes(`[secret canary-${number}]`));
  expect(unseen).toEqual([]);
  expect(readFolder(archive)).toContain("[secret canary-7]");
  checkNone(kept, "the folder of the store");
});

test("S24 S28: a command gets the value of a secret in its variables, and none in its arguments", async () => {
  const world = makeDurableWorld("sqlite");
  const seen = command("seen", {
    argv: [process.execPath, "-p", "process.env.KEY.length + ' ' + process.argv.length"],
    env: { KEY: canaryOf(25) },
    parse: "text",
  });
  const argued = command("argued", { argv: ["true", canaryOf(26).reveal()] });
  const [sees, argues] = [
    pipeline("seen", { output: { seen } }),
    pipeline("argued", { output: { argued } }),
  ];
  const mill = await world.open([sees, argues], { environment: ENVIRONMENT });
  const good = await (await mill.start(sees, undefined)).result();
  expect(good.outputs).toEqual({ seen: `${canaryOf(25).reveal().length} 1\n` });
  const bad = await (await mill.start(argues, undefined)).result();
  expect(bad.errors[0]?.error.message).toContain(
    "holds a secret, and every user of the machine can read",
  );
  const definitions = world.raw().prepare("SELECT * FROM definitions").all();
  expect(JSON.stringify(definitions)).toContain("[secret canary-25]");
  checkNone(JSON.stringify(definitions), "the definition");
});

test("S28: a secret that only the process of an attempt knows is redacted before it leaves that process", () => {
  const said: unknown[] = [];
  const context = new IsolatedContext(
    {
      module: "",
      pipeline: "p",
      stage: "s",
      item: null,
      needs: encodeOrThrow({}, "needs"),
      runId: "run",
      attempt: 1,
      idempotencyKey: "",
      scheduled: null,
      dir: ".",
      state: [],
    },
    (report) => said.push(report),
  );
  const value = canaryOf(27).reveal();
  context.log.warn(value, { value });
  context.emit(value, { deep: { value } });
  context.progress(1, 2, value);
  expect(said).toHaveLength(3);
  expect(JSON.stringify(said).split("[secret canary-27]")).toHaveLength(6);
  checkNone(JSON.stringify(said), "the reports");
});

test("S28 S30: what a terminal, a document, a log file and a report show of a run holds no secret", async () => {
  host.write({
    "millrace.config.ts": `
import { defineConfig, pipeline, secret, stage } from "millrace";
const key = secret("api-key", ${JSON.stringify(canaryOf(28).reveal())});
const call = stage("call", { needs: {} }, (_needs, ctx) => {
  console.log("calling with", key.reveal(), key);
  ctx.log.info("calling with " + key.reveal());
  throw Object.assign(new Error("refused " + key.reveal()), { url: "https://a.example/?key=" + encodeURIComponent(key.reveal()) });
});
const told = stage("told", {}, () => ({ url: "https://a.example/?key=" + encodeURIComponent(key.reveal()) }));
export const calls = pipeline("calls", { failFast: false, stages: [call, told], output: { told } });
export default defineConfig({ pipelines: [calls], provide: { key } });
`,
  });
  const shown: string[] = [];
  const call = async (...argv: readonly string[]): Promise<string> => {
    const { stdout, stderr } = await host.call(argv);
    const text = `${stdout}\n${stderr}`;
    checkNone(text, argv.join(" "));
    shown.push(text);
    return stdout;
  };
  const logs = ["--log-file", "log.jsonl"];
  const first = await call("run", "calls", "--report", "report.html", "--json", ...logs);
  await call("run", "calls", "--report", "report.md", "-v");
  const [run = ""] = /\b[0-9a-f-]{36}\b/.exec(first) ?? [];
  await call("show", run);
  expect(await call("show", run, "--json")).toContain(`"id": "${run}"`);
  await call("show", `${run}/told`, "--json");
  await call("why", run);
  expect(await call("logs", run, "--json")).toContain("calling with");
  await call("export", "trace", run);
  for (const file of ["report.html", "report.md", "log.jsonl"]) {
    const text = readFileSync(join(host.folder, file), "utf8");
    checkNone(text, file);
    expect(text).toContain("secret");
  }
  expect(shown.filter((text) => text.includes("[secret api-key]")).length).toBeGreaterThan(4);
});
