import { expect, test } from "vitest";
import type { DefinitionFault } from "../model/definition.ts";
import { defineConfig, isConfig } from "./define-config.ts";
import { parseConfig, type ParsedConfig } from "./schema.ts";

function parse(raw: unknown): { config: ParsedConfig | undefined; faults: DefinitionFault[] } {
  const faults: DefinitionFault[] = [];
  return { config: parseConfig(raw, faults), faults };
}

test("an empty configuration has no faults and sets nothing", () => {
  const { config, faults } = parse({});

  expect(faults).toEqual([]);
  expect(config).toMatchObject({ pipelines: [], provide: {} });
  expect(config?.store).toBeUndefined();
  expect(config?.retry).toBeUndefined();
});

test("every key that exists is read", () => {
  const { config, faults } = parse({
    store: { url: "sqlite:a.db", busyTimeout: "2s" },
    pipelines: [1],
    provide: { llm: 1 },
    logLevel: "warn",
    logFile: "a.log",
    worker: { attemptsInFlight: 7 },
    defaults: { retry: { attempts: 3, initialDelay: "2s" }, timeout: "30s" },
  });

  expect(faults).toEqual([]);
  expect(config).toMatchObject({
    store: "sqlite:a.db",
    busyTimeoutMs: 2_000,
    pipelines: [1],
    provide: { llm: 1 },
    logLevel: "warn",
    logFile: "a.log",
    attemptsInFlight: 7,
    retry: { attempts: 3, initialDelayMs: 2_000 },
    timeoutMs: 30_000,
  });
});

test("a duration carries a unit or is whole milliseconds; other text is refused", () => {
  expect(parse({ defaults: { timeout: "30s" } }).config?.timeoutMs).toBe(30_000);
  expect(parse({ defaults: { timeout: 30_000 } }).config?.timeoutMs).toBe(30_000);
  expect(parse({ defaults: { timeout: "30" } }).faults).toMatchObject([
    { path: "defaults.timeout", message: expect.stringContaining('write "30ms" or "30s"') },
  ]);
});

test("another spelling of a known key is refused with the right one", () => {
  const { faults } = parse({
    log_level: "info",
    worker: { attempts_in_flight: 3 },
    defaults: { retry: { max_delay: "1s" } },
  });

  expect(faults.map(({ path, hint }) => [path, hint])).toEqual([
    ["log_level", 'did you mean "logLevel"?'],
    ["worker.attempts_in_flight", 'did you mean "attemptsInFlight"?'],
    ["defaults.retry.max_delay", 'did you mean "maxDelay"?'],
  ]);
});

test("keys that begin with x- are free", () => {
  expect(parse({ "x-note": "ours", worker: { "x-why": 1 } }).faults).toEqual([]);
});

test("a key whose feature does not exist yet is named as such", () => {
  const { faults } = parse({
    dryRun: true,
    worker: { processes: 8 },
    store: { blobs: "s3:" },
  });

  expect(faults).toHaveLength(3);
  for (const fault of faults) {
    expect(fault.message).toMatch(/^"\w+" is not available yet$/);
    expect(fault.hint).toBe("remove it");
  }
});

test("resources that all stages use are a list of values or names", () => {
  const made = parse({ defaults: { uses: ["api"] } }).config?.uses ?? [];

  const { config, faults } = parse({ defaults: { uses: ["db", ...made] } });

  expect(faults).toEqual([]);
  expect(config?.uses?.map((use) => use.resource)).toEqual(["api", "db"]);
  expect(parse({ defaults: {} }).config?.uses).toBeUndefined();
});

test.each([
  [["api", "api"], 'resource "api" is named twice; an attempt holds one permit of it'],
  [[5], "expected resources; got 5"],
  ["api", 'expected a list of resources; got "api"'],
  [() => [], "expected a list of resources; got a function"],
])("%j as resources of all stages is refused", (uses, message) => {
  expect(parse({ defaults: { uses } }).faults).toEqual([
    expect.objectContaining({ path: "defaults.uses", message }),
  ]);
});

const BAD_NUMBERS: readonly unknown[] = [Number.NaN, Infinity, -1, 0, null, "5", 1.5, 10_001];

test("the lease of workers and its heartbeat are durations", () => {
  const { config } = parse({ worker: { lease: "10m", heartbeat: "30s" } });

  expect(config).toMatchObject({ leaseMs: 600_000, heartbeatMs: 30_000 });
  expect(parse({ worker: { lease: "30", heartbeat: 0 } }).faults.map(({ path }) => path)).toEqual([
    "worker.lease",
    "worker.heartbeat",
  ]);
});

test.each(BAD_NUMBERS)("attemptsInFlight %s is refused with its bounds", (value) => {
  expect(parse({ worker: { attemptsInFlight: value } }).faults).toMatchObject([
    {
      path: "worker.attemptsInFlight",
      message: expect.stringContaining("expected a whole number from 1 to 10000"),
    },
  ]);
});

test.each([...BAD_NUMBERS, 257])("threads %s is refused with its bounds", (value) => {
  expect(parse({ worker: { threads: value } }).faults).toMatchObject([
    {
      path: "worker.threads",
      message: expect.stringContaining("expected a whole number from 1 to 256"),
    },
  ]);
});

test.each<[unknown, boolean]>([
  [0, true],
  ["10m", true],
  ["11m", false],
  [-1, false],
  [null, false],
  [Number.NaN, false],
])("busyTimeout %s is accepted: %s", (value, isAccepted) => {
  const { faults } = parse({ store: { busyTimeout: value } });

  expect(faults.length === 0).toBe(isAccepted);
  for (const fault of faults) expect(fault.path).toBe("store.busyTimeout");
});

test("all faults come together, each with its path", () => {
  const { faults } = parse({
    store: 7,
    pipelines: {},
    provide: [],
    logLevel: "loud",
    worker: "many",
    defaults: { timeout: "x" },
  });

  expect(faults.map((fault) => fault.path).toSorted((a, b) => a.localeCompare(b))).toEqual([
    "defaults.timeout",
    "logLevel",
    "pipelines",
    "provide",
    "store",
    "worker",
  ]);
});

test.each([undefined, null, 3, "text", [1], () => ({})])("%s is no configuration", (raw) => {
  const { config, faults } = parse(raw);

  expect(config).toBeUndefined();
  expect(faults).toMatchObject([{ message: expect.stringContaining("expected a record") }]);
});

test("a configuration made by defineConfig is known as one, frozen, and reads the same", () => {
  const config = defineConfig({ store: "memory:" });

  expect(isConfig(config)).toBe(true);
  expect(isConfig({ store: "memory:" })).toBe(false);
  expect(Object.isFrozen(config)).toBe(true);
  expect(parse(config)).toMatchObject({ config: { store: "memory:" }, faults: [] });
});

test("settings of events are read, with their faults among all others", () => {
  const events = { subscribers: 5, archive: { folder: "events", perRun: true, keep: "1d" } };
  expect(parse({ events })).toMatchObject({ config: { events }, faults: [] });
  expect(parse({}).config).toMatchObject({ events: undefined });

  const { faults } = parse({
    logLevel: "loud",
    events: { ephemeral: ["run.failed"], archive: {} },
  });
  expect(faults.map(({ path }) => path).toSorted()).toEqual([
    "events.archive.folder",
    "events.ephemeral",
    "logLevel",
  ]);
});

test("resources are read by name, with their faults among all others", () => {
  const resources = { api: { limit: 8, limits: { slow: 1 }, quota: { rate: 60, per: "1m" } } };
  expect(parse({ resources })).toMatchObject({ config: { resources }, faults: [] });

  const { faults } = parse({ logLevel: "loud", resources: { api: { limit: 0, burst: 3 } } });
  expect(faults.map(({ path }) => path).sort()).toEqual([
    "logLevel",
    "resources.api.burst",
    "resources.api.limit",
  ]);
  expect(parse({ resources: ["api"] }).faults).toMatchObject([{ path: "resources" }]);
});

test("R231: the time of a day is checked for form and range, with all other faults of schedules", () => {
  const nightly = { pipeline: "crawl", dailyAt: "02:30", timezone: "America/Chicago" };
  expect(parse({ schedules: { nightly } })).toMatchObject({
    config: { schedules: { nightly } },
    faults: [],
  });
  for (const dailyAt of ["25:00", "7:30", "07:60", "24:00", 730, ""]) {
    const { faults } = parse({ schedules: { nightly: { ...nightly, dailyAt } } });
    expect(faults).toMatchObject([{ path: "schedules.nightly.dailyAt" }]);
    expect(faults[0]?.message).toContain('expected a time from "00:00" to "23:59"');
  }
  const { faults } = parse({
    schedules: {
      "a/b": nightly,
      none: { pipeline: "crawl" },
      two: { pipeline: "crawl", cron: "* * * * *", every: "5m" },
      odd: { pipeline: "crawl", every: "36h", timezone: "Mars/Base", overlap: "skp", jitter: "2h" },
    },
  });
  expect(faults.map(({ path }) => path)).toEqual([
    "schedules.a/b",
    "schedules.none",
    "schedules.two",
    "schedules.odd.every",
    "schedules.odd.timezone",
    "schedules.odd.overlap",
    "schedules.odd.jitter",
  ]);
});
