// The verbs of resources: what each prints, changes and refuses, while another process, this one, uses the same store.

import { join } from "node:path";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { openMillrace, type Millrace } from "../../src/service/millrace.ts";
import { newCounts } from "../../src/policy/breaker/breaker-counts.ts";
import { findUserName } from "../../src/std/machine.ts";
import { applyRun, createRun } from "../../src/testing/store-suite/fixture.ts";
import {
  BREAKER,
  makeTerms,
  makeUse,
  perSecond,
  called,
  refused,
  release,
  releaseOf,
  take,
  takeOf,
  takeOne,
  toldOf,
} from "../../src/testing/store-suite/permits/permit-fixture.ts";
import { documentOf, startHost, type Answer } from "../support/host.ts";

const host = startHost();
afterAll(() => host.close());

const TERMS = makeTerms({ limit: 2, quotas: [perSecond(3)], breaker: BREAKER });

const PIPELINE = `
import { definePipeline, resource } from "millrace";
const host = resource("host", { limit: 4, breaker: { threshold: 3 }, key: (name) => name });
export const work = definePipeline({
  name: "work",
  stages: [
    { id: "first", uses: ["scorer"], run: () => 1 },
    { id: "second", uses: ["scorer", host.for("a.example")], run: () => 2 },
    { id: "third", run: () => 3 },
  ],
});
`;
const CONFIG = `
import { defineConfig } from "millrace";
import { work } from "./work.ts";
export default defineConfig({
  pipelines: [work],
  resources: {
    scorer: { limit: 8, quota: { rate: 60, per: "1m" } },
    host: { limits: { slow: 1 } },
  },
});
`;

interface World {
  readonly call: (...argv: readonly string[]) => Promise<Answer>;
  readonly folder: string;
  /** A mill of this process on the store of the folder. */
  readonly open: () => Promise<Millrace>;
}

function setup(files: Readonly<Record<string, string>> = {}): World {
  const folder = host.makeFolder(files);
  return {
    folder,
    call: (...argv) => host.call(argv, { folder }),
    open: async () => {
      const mill = await openMillrace({ store: `sqlite:${join(folder, ".millrace/store.db")}` });
      onTestFinished(() => mill.close({ drainMs: 0 }));
      return mill;
    },
  };
}

const CONFIGURED = { "work.ts": PIPELINE, "millrace.config.ts": CONFIG };

test("what is declared is listed before there is a store, in the words of the table", async () => {
  const { call } = setup(CONFIGURED);

  const listed = await call("resources");

  expect(listed.stderr).toBe("");
  expect(listed.stdout).toBe(
    [
      "NAME    KEY  HELD  WAITING  QUOTA                BREAKER",
      "host    –    0/4   0        –                    closed",
      "scorer  –    0/8   0        60 of 60, 60 per 1m  –\n",
    ].join("\n"),
  );
  expect(listed.exitCode).toBe(0);
});

test("R100 R115 R126 R140: list --json says who has what, how much is left and how the breaker stands", async () => {
  const { call, open } = setup();
  const { store } = await open();
  const run = await applyRun(store, createRun());
  await take(store, takeOf(run, "row-7", makeUse(TERMS)));

  const { resources } = documentOf(await call("resources", "list", "--json"));
  expect(resources).toMatchObject([
    {
      name: "api",
      limit: 2,
      held: 1,
      waiting: 0,
      quotas: [{ rate: 3, perMs: 1_000, burst: 3, available: expect.any(Number) }],
      breaker: { state: "closed", failures: 0, threshold: 1, recoveryMs: 10_000, openings: 0 },
      totals: { granted: 1, succeeded: 0, failed: 0, throttled: 0, consumed: 1 },
      holders: [{ run: run.id, name: "1", stage: "fetch", item: "row-7" }],
    },
  ]);
  const shown = await call("resources", "list", "api");
  expect(shown.stdout).toMatch(/^api {3}– {4}1\/2 +0 +[23] of 3, 3 per 1s +closed$/m);
  expect(shown.stdout).toMatch(/^api: 1\/fetch\/row-7 for /m);
});

test("R109: a limit that one process sets holds in the other at once, and a reset lifts it", async () => {
  const { call, open } = setup();
  const { store } = await open();
  const run = await applyRun(store, createRun());
  const asked = (item: string): ReturnType<typeof takeOf> =>
    takeOf(run, item, makeUse({ ...TERMS, quotas: [] }));
  await take(store, asked("a"));

  const set = await call(
    "resources",
    "set",
    "api",
    "limit=1",
    "--for",
    "1h",
    "--reason",
    "they asked",
  );
  expect(set.stdout).toMatch(
    /^set api: limit 1 instead of 2, by .+ until .+Z: they asked {6}next: npx millrace resources reset api\n$/,
  );
  await refused(store, asked("b"));

  const reset = await call("resources", "reset", "api");
  expect(reset.stdout).toBe("reset api: as declared, its breaker is closed\n");
  await take(store, asked("b"));
});

test("R125: trip opens the breaker for the other process too; trip and reset are events with who and why", async () => {
  const { call, open } = setup();
  const { store } = await open();
  const run = await applyRun(store, createRun());
  await take(store, takeOf(run, "a", makeUse(TERMS)));

  const tripped = await call("resources", "trip", "api", "--reason", "they move", "--json");
  expect(documentOf(tripped)).toMatchObject({
    schema: "millrace.resources/1",
    resources: [{ name: "api", breaker: { state: "open", forced: { reason: "they move" } } }],
  });
  const { refusal } = await refused(store, takeOf(run, "b", makeUse(TERMS)));
  expect(refusal.because).toBe("breaker");
  const listed = await call("resources");
  expect(listed.stdout).toMatch(/open by .+, probe in 1h$|open by .+, probe in 60m$/m);
  expect(listed.stdout).toContain(": they move");

  await call("resources", "reset", "api", "--reason", "they moved");
  await take(store, takeOf(run, "b", makeUse(TERMS)));
  const actor = findUserName();
  expect(await toldOf(store)).toMatchObject([
    ["breaker.opened", { resource: "api", from: "closed", to: "open", actor, reason: "they move" }],
    [
      "breaker.closed",
      { resource: "api", from: "open", to: "closed", actor, reason: "they moved" },
    ],
  ]);
});

test("R115 R116: the list says closed, open and half_open, and three failures in a row open it", async () => {
  const { call, open } = setup();
  const { store } = await open();
  const run = await applyRun(store, createRun());
  const breakerOf = async (): Promise<string | undefined> =>
    /(\S+(?:, probe in \S+)?)$/m.exec((await call("resources")).stdout.split("\n")[1] ?? "")?.[1];
  const fail = async (item: string, failures: number, recoveryMs: number): Promise<void> => {
    const terms = { ...BREAKER, threshold: 3, recoveryMs };
    const use = makeUse(makeTerms({ breaker: terms }));
    const permit = await takeOne(store, takeOf(run, item, use));
    const counts = { ...newCounts(), generation: permit.generation, failuresInARow: failures };
    await release(store, releaseOf(run, item, called("failure", permit, { terms, counts })));
  };

  await fail("a", 0, 60_000);
  await fail("b", 1, 60_000);
  expect(await breakerOf()).toBe("closed");
  await fail("c", 2, 60_000);
  expect(await breakerOf()).toMatch(/^open, probe in (1m|\d\ds)$/);

  await call("resources", "reset", "api");
  for (const [failures, item] of ["d", "e", "f"].entries()) await fail(item, failures, 1);
  expect(await breakerOf()).toBe("half_open");
});

test("a quota is set in units per time, a key apart from the others", async () => {
  const { call, open } = setup(CONFIGURED);
  await open();

  const set = documentOf(
    await call("resources", "set", "scorer", "quota=10/1s", "quota=100/1m", "limit=3", "--json"),
  );
  expect(set["resources"]).toMatchObject([
    {
      limit: 3,
      declaredLimit: 8,
      quotas: [
        { rate: 10, perMs: 1_000 },
        { rate: 100, perMs: 60_000 },
      ],
    },
  ]);
  await call("resources", "set", "host/b/c", "limit=2");
  const { resources } = documentOf(await call("resources", "list", "host", "--json"));
  expect(resources).toMatchObject([{ key: "b/c", limit: 2, declaredLimit: 4 }]);
  const stats = documentOf(await call("queue", "stats", "--resources", "--json"));
  expect(stats["resources"]).toMatchObject([{ name: "host", key: "b/c" }, { name: "scorer" }]);
  expect((await call("queue", "stats", "--resources")).stdout).toMatch(/^scorer +– +0\/3 /m);
});

const REFUSED: readonly (readonly [words: string, text: string])[] = [
  ["set scoer limit=1", 'there is no resource "scoer"'],
  ["trip scoer", 'did you mean "scorer"?'],
  ["list scoer", 'did you mean "scorer"?'],
  ["set scorer limit=0", "limit: expected a whole number from 1 to 10000; got 0"],
  ["set scorer limit=-1", "got -1"],
  ["set scorer limit=NaN", 'expected a whole number, as in limit=8; got "NaN"'],
  ["set scorer limt=1", 'did you mean "limit"?'],
  ["set scorer quota=0/1m", "quota.rate: expected a number"],
  ["set scorer quota=60", 'as in quota=60/1m; got "60"'],
  ["set scorer", 'the verb "resources set" needs SETTING'],
  ["set scorer limit=1 --for never", "--for"],
  ["set scorer/a limit=1", 'resource "scorer" has no keys; got "a"'],
  ["set host/ limit=1", '"host/" names no resource'],
  ["trip host", "name the key that is to be left alone"],
  ["trip scorer", "has no breaker to be opened"],
];

test.each(REFUSED)("resources %s is exit 2 and says why", async (words, text) => {
  const { call, open } = setup(CONFIGURED);
  await open();

  const refusal = await call("resources", ...words.split(" "));

  expect(refusal.exitCode).toBe(2);
  expect(refusal.stderr).toContain(text);
  expect(refusal.stdout).toBe("");
});

test("without a store an order is refused, and none is made", async () => {
  const { call } = setup(CONFIGURED);

  expect(await call("resources", "set", "scorer", "limit=1")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("STORE_NOT_FOUND"),
  });
  expect((await call("runs")).stderr).toContain("there is no store here");
});

test("R142: show lists the quotas, where each setting came from, and the stages that use them", async () => {
  const { call } = setup(CONFIGURED);
  const { resources, stages } = documentOf(await call("show", "work", "--json"));
  const shown = await call("show", "work");

  const file = "millrace.config.ts: resources";
  expect(resources).toEqual([
    {
      resource: "host",
      keyed: true,
      users: [{ stage: "second", key: "a.example" }],
      settings: {
        limit: { value: 4, origin: "pipeline" },
        "limit of slow": { value: 1, origin: `${file}.host.limits` },
        quota: { value: null, origin: "default" },
        breaker: { value: "opens after 3 in a row, for 30s", origin: "pipeline" },
      },
    },
    {
      resource: "scorer",
      keyed: false,
      users: [{ stage: "first" }, { stage: "second" }],
      settings: {
        limit: { value: 8, origin: `${file}.scorer.limit` },
        quota: { value: ["60 per 1m, burst 60"], origin: `${file}.scorer.quota` },
        breaker: { value: null, origin: "default" },
      },
    },
  ]);
  expect(stages).toMatchObject([
    { settings: { uses: { value: ["scorer"] } } },
    { settings: { uses: { value: ["host/a.example", "scorer"] } } },
    {},
  ]);
  expect(shown.stdout).toMatch(
    /^resource scorer +quota +60 per 1m, burst 60 +millrace\.config\.ts: /m,
  );
  expect(shown.stdout).toMatch(/^resource scorer +used by +first, second +pipeline$/m);
});

test("R142: a resource that is only in the configuration is used by its name", async () => {
  const { call } = setup(CONFIGURED);

  expect((await call("run", "work")).exitCode).toBe(0);
  const { resources } = documentOf(await call("resources", "list", "--json"));
  expect(resources).toMatchObject([
    { name: "host", key: "a.example", limit: 4, held: 0, totals: { granted: 1, succeeded: 1 } },
    {
      name: "scorer",
      limit: 8,
      held: 0,
      quotas: [{ rate: 60, burst: 60 }],
      totals: { granted: 2, succeeded: 2, consumed: 2 },
    },
  ]);
});

const IMPOSSIBLE: readonly (readonly [setting: string, text: string])[] = [
  ["api: { limit: 0 }", "resources.api.limit: expected a whole number from 1 to 10000; got 0"],
  ["api: { limit: -1 }", "got -1"],
  ["api: { limit: NaN }", "got NaN"],
  ["api: { limit: Infinity }", "got Infinity"],
  ['api: { limit: "8" }', 'got "8"'],
  ["api: { breaker: { threshold: 0 } }", "resources.api.breaker.threshold: expected"],
  ["api: { breaker: { recovery: 0 } }", "resources.api.breaker.recovery: expected 1 ms"],
  ['api: { quota: { rate: 0, per: "1s" } }', "resources.api.quota.rate: expected"],
  ['api: { qouta: { rate: 1, per: "1s" } }', 'did you mean "quota"?'],
];

test.each(IMPOSSIBLE)(
  "R116 R139: the setting %s is exit 2 at every verb",
  async (setting, text) => {
    const config = `export default { pipelines: [], resources: { ${setting} } };`;
    const { call } = setup({ "millrace.config.ts": config });

    for (const verb of ["runs", "resources"]) {
      const refusal = await call(verb);
      expect(refusal.exitCode).toBe(2);
      expect(refusal.stderr).toContain(text);
    }
  },
);

const FAULTY: readonly (readonly [code: string, text: string])[] = [
  ['uses: ["scoer"]', 'there is no resource "scoer"'],
  ['uses: [resource("scorer", { limit: 0 })]', "resources.scorer.limit: expected"],
  ['uses: [resource("five", { quota: { rate: 5, per: "1s" } }).with({ cost: 6 })]', "costs 6"],
  ['uses: [resource("none", { quota: { rate: 0, per: "1s" } })]', "resources.none.quota.rate"],
];

test.each(FAULTY)("R139: a stage with %s is exit 2, and nothing is started", async (uses, text) => {
  const { call } = setup({
    ...CONFIGURED,
    "other.ts": `
import { definePipeline, resource } from "millrace";
export const other = definePipeline({ name: "other", stages: [{ id: "it", ${uses}, run: () => 1 }] });
`,
  });

  const refusal = await call("run", "other.ts");

  expect(refusal.exitCode).toBe(2);
  expect(refusal.stderr).toContain(text);
  expect((await call("runs")).stdout).toBe("");
});
