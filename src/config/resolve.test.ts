import { expect, test } from "vitest";
import type { DefinitionFault } from "../model/definition.ts";
import { toVariable } from "./environment.ts";
import type { LoadedConfig } from "./load.ts";
import { describeOrigin, resolveSettings, type SettingSources } from "./resolve.ts";
import { parseConfig } from "./schema.ts";

function fileWith(raw: object): LoadedConfig {
  const faults: DefinitionFault[] = [];
  const config = parseConfig(raw, faults);
  if (config === undefined || faults.length > 0) throw new Error(JSON.stringify(faults));
  return { path: "/p/millrace.config.ts", config };
}

function resolve(sources: Partial<SettingSources> = {}): ReturnType<typeof resolveSettings> {
  return resolveSettings({ flags: {}, env: {}, file: undefined, ...sources });
}

test("without any source every setting is its default and says so", () => {
  const { store, busyTimeoutMs, attemptsInFlight, logLevel, logFile, file } = resolve();

  expect(store).toEqual({ value: "sqlite:.millrace/store.db", origin: { kind: "default" } });
  expect(busyTimeoutMs.value).toBe(5_000);
  expect(attemptsInFlight.value).toBe(32);
  expect(logLevel.value).toBe("info");
  expect(logFile.value).toBeNull();
  expect(file).toBeNull();
});

test("a flag beats a variable, a variable the file, the file the default", () => {
  const file = fileWith({ store: "sqlite:file.db" });
  const env = { MILLRACE_STORE: "sqlite:env.db" };

  expect(resolve({ file }).store).toEqual({
    value: "sqlite:file.db",
    origin: { kind: "file", path: "/p/millrace.config.ts", key: "store" },
  });
  expect(resolve({ file, env }).store).toEqual({
    value: "sqlite:env.db",
    origin: { kind: "environment", name: "MILLRACE_STORE" },
  });
  expect(resolve({ file, env, flags: { store: "memory:" } }).store).toEqual({
    value: "memory:",
    origin: { kind: "flag", name: "--store" },
  });
});

test("R279: variables are named MILLRACE_SECTION__KEY, their values are JSON or plain text", () => {
  const env = {
    MILLRACE_WORKER__ATTEMPTS_IN_FLIGHT: "7",
    MILLRACE_STORE__BUSY_TIMEOUT: "2s",
    MILLRACE_DEFAULTS__RETRY: '{"attempts":4}',
    MILLRACE_DEFAULTS__TIMEOUT: "1500",
    MILLRACE_LOG_LEVEL: "debug",
    MILLRACE_LOG_FILE: "2026.log",
  };

  const settings = resolve({ env });

  expect(settings.attemptsInFlight).toEqual({
    value: 7,
    origin: { kind: "environment", name: "MILLRACE_WORKER__ATTEMPTS_IN_FLIGHT" },
  });
  expect(settings.busyTimeoutMs.value).toBe(2_000);
  expect(settings.retry.value).toMatchObject({ attempts: 4 });
  expect(settings.timeoutMs.value).toBe(1_500);
  expect(settings.logLevel.value).toBe("debug");
  expect(settings.logFile.value).toBe("2026.log");
});

test("a variable for the store's place and one for its options go together", () => {
  const env = { MILLRACE_STORE: "sqlite:a.db", MILLRACE_STORE__BUSY_TIMEOUT: "1s" };

  const { store, busyTimeoutMs } = resolve({ env });

  expect([store.value, busyTimeoutMs.value]).toEqual(["sqlite:a.db", 1_000]);
});

test("all faults of the environment come together and name their variables", () => {
  const env = {
    MILLRACE_WORKER__ATTEMPTS_IN_FLIGHT: "0",
    MILLRACE_DEFAULTS__TIMEOUT: "30 seconds",
    MILLRACE_DEFAULTS__RETRY: '{"attempts":0}',
    MILLRACE_WORKER__ATTEMPT_IN_FLIGHT: "3",
  };

  expect(() => resolve({ env })).toThrow(
    expect.objectContaining({
      code: "CONFIG_INVALID",
      message: expect.stringMatching(/^The environment is not valid, 4 faults:/),
      details: {
        faults: expect.arrayContaining([
          expect.objectContaining({ path: "MILLRACE_WORKER__ATTEMPTS_IN_FLIGHT" }),
          expect.objectContaining({ path: "MILLRACE_DEFAULTS__TIMEOUT" }),
          expect.objectContaining({ path: "MILLRACE_DEFAULTS__RETRY.attempts" }),
          expect.objectContaining({
            path: "MILLRACE_WORKER__ATTEMPT_IN_FLIGHT",
            hint: 'did you mean "MILLRACE_WORKER__ATTEMPTS_IN_FLIGHT"?',
          }),
        ]),
      },
    }),
  );
});

test("variables of others, of our own commands, and empty ones are passed over", () => {
  const env = {
    MILLRACE_RUN_ID: "1",
    MILLRACE_STAGE: "a",
    MILLRACE_LOG: "lines",
    MILLRACE_STORE: "",
    PATH: "/bin",
  };

  expect(resolve({ env }).store.origin).toEqual({ kind: "default" });
});

test("the variable of a key is its section and words in capitals", () => {
  expect(toVariable("worker.attemptsInFlight")).toBe("MILLRACE_WORKER__ATTEMPTS_IN_FLIGHT");
  expect(toVariable("logLevel")).toBe("MILLRACE_LOG_LEVEL");
});

test("an origin is told in words", () => {
  const show = (path: string): string => path.slice(3);

  expect(describeOrigin({ kind: "flag", name: "-j" }, show)).toBe("flag -j");
  expect(describeOrigin({ kind: "environment", name: "MILLRACE_STORE" }, show)).toBe(
    "MILLRACE_STORE",
  );
  expect(describeOrigin({ kind: "file", path: "/p/c.ts", key: "store" }, show)).toBe("c.ts: store");
  expect(describeOrigin({ kind: "default" }, show)).toBe("default");
});

test("how long things are kept comes from the file or the environment, 30 days where nobody says", () => {
  const file = fileWith({ retention: { runs: "7d" } });
  const env = { MILLRACE_RETENTION__DEAD_LETTER: "90d" };
  const { keepRunsMs, keepEventsMs, keepFailedMs } = resolve({ file, env });

  expect(keepRunsMs).toEqual({
    value: 7 * 86_400_000,
    origin: { kind: "file", path: "/p/millrace.config.ts", key: "retention.runs" },
  });
  expect(keepEventsMs).toEqual({ value: 30 * 86_400_000, origin: { kind: "default" } });
  expect(keepFailedMs.value).toBe(90 * 86_400_000);
  expect(() => fileWith({ retention: { runs: "soon" } })).toThrow("retention.runs");
  expect(() => fileWith({ retention: { run: "7d" } })).toThrow("retention.run");
});

test("resources come from the file or, as JSON, from a variable that replaces them, and say where from", () => {
  const file = fileWith({ resources: { api: { limit: 8 } } });
  expect(resolve().resources).toEqual({ value: {}, origin: { kind: "default" } });
  expect(resolve({ file }).resources).toEqual({
    value: { api: { limit: 8 } },
    origin: { kind: "file", path: "/p/millrace.config.ts", key: "resources" },
  });

  const env = { MILLRACE_RESOURCES: '{"api":{"limit":2}}' };
  expect(resolve({ file, env }).resources).toEqual({
    value: { api: { limit: 2 } },
    origin: { kind: "environment", name: "MILLRACE_RESOURCES" },
  });
  const named = resolve({ env: { MILLRACE_DEFAULTS__USES: '["api"]' } }).uses;
  expect(named.value?.map((use) => use.resource)).toEqual(["api"]);
  expect(named.origin).toEqual({ kind: "environment", name: "MILLRACE_DEFAULTS__USES" });
  expect(() => resolve({ env: { MILLRACE_RESOURCES: '{"api":{"limit":0}}' } })).toThrow(
    "MILLRACE_RESOURCES.api.limit: expected a whole number from 1 to 10000; got 0",
  );
});
