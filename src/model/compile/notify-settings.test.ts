import { expect, test } from "vitest";
import type { DefinitionFault } from "../definition.ts";
import { secret } from "../secret.ts";
import { parseNotify } from "./notify-settings.ts";

const KEY = Buffer.alloc(32, 9).toString("base64");
const URL_TEXT = "https://hooks.example.org/one";

function parse(raw: unknown): {
  readonly faults: readonly DefinitionFault[];
  readonly parsed: ReturnType<typeof parseNotify>;
} {
  const faults: DefinitionFault[] = [];
  return { parsed: parseNotify(raw, faults), faults };
}

test("a target says where, how, with which secret and of what; the rest has defaults", () => {
  const { parsed, faults } = parse({
    targets: {
      ops: { url: URL_TEXT, secret: `whsec_${KEY}` },
      chat: { url: secret("chat", URL_TEXT), form: "slack", on: ["breaker.opened"] },
    },
  });
  expect(faults).toEqual([]);
  expect(parsed?.retry).toEqual({
    attempts: 10,
    initialDelay: 5_000,
    factor: 3,
    maxDelay: 3_600_000,
  });
  const [ops, chat] = [...(parsed?.targets.values() ?? [])];
  expect(ops?.key?.toString("base64")).toBe(KEY);
  expect([...(ops?.types ?? [])]).not.toContain("breaker.opened");
  expect(chat).toMatchObject({ key: undefined, allowsPrivate: false, pipelines: null });
  expect(chat?.url.href).toBe(URL_TEXT);
});

test.each([
  [
    { targets: { a: { url: "ftp://example.org", secret: `whsec_${KEY}` } } },
    "notify.targets.a.url",
  ],
  [
    { targets: { a: { url: "https://user:pass@example.org", secret: `whsec_${KEY}` } } },
    "notify.targets.a.url",
  ],
  [{ targets: { a: { url: URL_TEXT } } }, "notify.targets.a.secret"],
  [
    { targets: { a: { url: URL_TEXT, secret: "canary-canary-canary-canary" } } },
    "notify.targets.a.secret",
  ],
  [{ targets: { a: { url: URL_TEXT, secret: "whsec_c2hvcnQ=" } } }, "notify.targets.a.secret"],
  [
    { targets: { a: { url: URL_TEXT, secret: `whsec_${KEY}`, form: "slack" } } },
    "notify.targets.a.secret",
  ],
  [
    { targets: { a: { url: URL_TEXT, secret: `whsec_${KEY}`, on: ["run.started"] } } },
    "notify.targets.a.on",
  ],
  [{ targets: {}, timeout: "2m" }, "notify.timeout"],
  [{ targets: {}, every: 1 }, "notify.every"],
  [{}, "notify.targets"],
  [[], "notify"],
])("%j is refused at its path, and repeats neither address nor secret", (raw, path) => {
  const { parsed, faults } = parse(raw);
  expect(parsed).toBeUndefined();
  expect(faults.map((fault) => fault.path)).toEqual([path]);
  expect(JSON.stringify(faults)).not.toMatch(/canary|user:pass|example\.org/);
});
