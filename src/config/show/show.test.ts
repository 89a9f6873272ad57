import { expect, test } from "vitest";
import { MillraceError } from "../../model/errors.ts";
import { describeFault, toConfigFault, toConfigFaults } from "./config-fault.ts";
import { findLines } from "./find-line.ts";
import { toShown } from "./mask.ts";
import { parseNotify } from "../../model/compile/notify-settings.ts";
import type { DefinitionFault } from "../../model/definition.ts";
import { secret } from "../../model/secret.ts";
import { resolveSettings, type Settings } from "../resolve.ts";
import { parseConfig } from "../schema.ts";
import { fromPlain, listChanged, parsePlainSettings, toPlainSettings } from "./plain-settings.ts";

test("secrets are masked by their name or place, and passwords in addresses", () => {
  const shown = toShown("notify", {
    targets: { chat: { url: "https://a.example/T0", secret: "whsec_x", form: "slack" } },
  });
  expect(shown).toEqual({ targets: { chat: { url: "****", secret: "****", form: "slack" } } });
  expect(toShown("schedules", { a: { input: { apiKey: "k", authToken: "t", page: 1 } } })).toEqual({
    a: { input: { apiKey: "****", authToken: "****", page: 1 } },
  });
  expect(toShown("store", "postgres://ana:pw@db/x")).toBe("postgres://ana:****@db/x");
  expect(toShown("server.tokenFile", "token")).toBe("token");
  expect(toShown("resources", { api: { breaker: { exclude: () => true } } })).toEqual({
    api: { breaker: { exclude: "(code)" } },
  });
});

test("the lines of keys are found in what is exported, and nowhere else", () => {
  const lines = findLines(`import { defineConfig } from "millrace";
const other = { store: 1 };
export default defineConfig({
  store: "sqlite:a.db", // worker: { lease
  worker: {
    lease: "10m", heartbeat,
  },
  pipelines: [a, { limit: 1 }],
  schedules: Object.fromEntries([{ a: 1 }]),
  "resources": { api: { limit: 3 }, [x]: { limit: 2 } },
  server: many ? { port: 1 } : { port: 2 },
});
`);
  expect(Object.fromEntries(lines)).toEqual({
    store: 4,
    worker: 5,
    "worker.lease": 6,
    "worker.heartbeat": 6,
    pipelines: 8,
    schedules: 9,
    resources: 10,
    "resources.api": 10,
    "resources.api.limit": 10,
    server: 11,
    "server.port": 11,
  });
  expect(findLines("export default other;").size).toBe(0);
});

test("an error becomes its faults, with what was expected and what was given, and no secret", () => {
  const error = new MillraceError("CONFIG_INVALID", "no", {
    details: {
      faults: [
        { path: "worker.threads", message: "expected a whole number from 1 to 256; got 0" },
        { path: "server.secret", message: "expected text; got hunter2", hint: "remove it" },
      ],
    },
  });
  const faults = toConfigFaults("a.ts", error);
  expect(faults).toMatchObject([
    { key: "worker.threads", value: "0", expected: "a whole number from 1 to 256" },
    { key: "server.secret", value: "****", message: "expected text", hint: "remove it" },
  ]);
  expect(faults.map(describeFault)).toEqual([
    "a.ts  worker.threads: expected a whole number from 1 to 256; got 0",
    "a.ts  server.secret: expected text (remove it)",
  ]);
  expect(toConfigFaults("a.ts", new TypeError("odd"))).toEqual([
    toConfigFault("a.ts", { path: "", message: "odd" }),
  ]);
});

test("settings of two readings are compared by name; what is no JSON is left out", () => {
  const before = parsePlainSettings({ watchMs: 1, resources: { b: 1, a: 2 }, other: 3 }) ?? {};
  const after = parsePlainSettings({ watchMs: 2, resources: { a: 2, b: 1 } }) ?? {};
  expect(listChanged(before, after)).toEqual(["watchMs"]);
  expect(before).toEqual({ watchMs: 1, resources: { b: 1, a: 2 } });
  expect(parsePlainSettings(null)).toBeUndefined();
});

test("a secret comes to the other process as a secret, and a changed one is a change", () => {
  const settingsOf = (text: string): Settings => {
    const faults: DefinitionFault[] = [];
    const config = parseConfig(
      { notify: { targets: { ops: { url: secret("ops", text), form: "slack" } } } },
      faults,
    );
    if (config === undefined || faults.length > 0) throw new Error("The settings do not hold.");
    const file = { path: "a.ts", config };
    return resolveSettings({ flags: {}, env: {}, file });
  };
  const before = toPlainSettings(settingsOf("https://chat.example.org/T0/B0/one"));
  const read = parsePlainSettings(JSON.parse(JSON.stringify(before))) ?? {};
  expect(listChanged(before, read)).toEqual([]);
  expect(listChanged(before, toPlainSettings(settingsOf("https://chat.example.org/two")))).toEqual([
    "notify",
  ]);
  const found = fromPlain(read.notify ?? null);
  expect(String(JSON.stringify(found))).toBe(
    '{"targets":{"ops":{"url":"[secret ops]","form":"slack"}}}',
  );
  const faults: DefinitionFault[] = [];
  const target = parseNotify(found, faults)?.targets.get("ops");
  expect([target?.url.href, faults]).toEqual(["https://chat.example.org/T0/B0/one", []]);
});
