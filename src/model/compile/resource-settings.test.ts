import { expect, test } from "vitest";
import { isMillraceError } from "../errors.ts";
import type { DefinitionFault } from "../definition.ts";
import { declareResource } from "../resource/make-resource.ts";
import { parseResource } from "./parse-resource.ts";
import { checkResourceSettings, toResourceValues } from "./resource-settings.ts";

function faultsOf(raw: unknown): DefinitionFault[] {
  const faults: DefinitionFault[] = [];
  expect(checkResourceSettings(raw, faults)).toBe(faults.length === 0);
  return faults;
}

function messageOf(options: object): string {
  try {
    declareResource("api", options);
  } catch (error) {
    if (isMillraceError(error) && error.code === "DEFINITION_INVALID") return error.message;
    throw error;
  }
  return "";
}

/** What no number of a resource may be. */
const NO_NUMBERS: readonly unknown[] = [0, -1, Number.NaN, Infinity, "8", null, true, []];

test.each(NO_NUMBERS)(
  "R116 R139: %s is no limit, no rate, no burst and no threshold, neither in a declaration nor in a configuration",
  (value) => {
    const quota = { rate: 1, per: "1s" };
    const wrong: readonly (readonly [string, object])[] = [
      ["limit", { limit: value }],
      ["quota.rate", { quota: { ...quota, rate: value } }],
      ["quota.burst", { quota: { ...quota, burst: value } }],
      ["breaker.threshold", { breaker: { threshold: value } }],
      ["breaker.successes", { breaker: { successes: value } }],
      ["breaker.probes", { breaker: { probes: value } }],
    ];
    for (const [path, options] of wrong) {
      expect(messageOf(options), path).toContain(`resources.api.${path}: expected a`);
      const faults = faultsOf({ api: options });
      expect(faults.map((fault) => fault.path)).toEqual([`resources.api.${path}`]);
    }
  },
);

test.each([0, -1, Number.NaN, Infinity, "5", "soon", true])(
  "R116 R139: %s is no period and no time of recovery",
  (value) => {
    expect(messageOf({ quota: { rate: 1, per: value } })).toContain("resources.api.quota.per: ");
    expect(messageOf({ breaker: { recovery: value } })).toContain(
      "resources.api.breaker.recovery: ",
    );
  },
);

test("a quota that would take decades to fill is refused where it is written", () => {
  expect(messageOf({ quota: { rate: 1, per: "366d", burst: 36 } })).toContain(
    "resources.api.quota.burst: expected a burst that fills within 35 years; 36 at 1 per 366d takes 36",
  );
  expect(messageOf({ quota: { rate: 1e-6, per: "366d" } })).toContain("resources.api.quota.rate");
  expect(messageOf({ quota: { rate: 1, per: "366d", burst: 35 } })).toBe("");
});

test("all faults of all resources come together, unknown keys with a suggestion", () => {
  const faults = faultsOf({
    api: { limt: 8, limit: "8", breaker: { treshold: 3 } },
    host: { limits: { "a.example": 0, "b.example": 2 }, quota: [{ rate: 0, per: "1s" }] },
    "a/b": { limit: 1 },
    other: 8,
  });

  expect(faults.map(({ path, hint }) => [path, hint])).toEqual([
    ["resources.api.limt", 'did you mean "limit"?'],
    ["resources.api.limit", undefined],
    ["resources.api.breaker.treshold", 'did you mean "threshold"?'],
    ["resources.host.limits.a.example", undefined],
    ["resources.host.quota.0.rate", undefined],
    ["resources.a/b", 'limits of keys stand under "limits"'],
    ["resources.other", undefined],
  ]);
});

test("code has no place in a configuration", () => {
  expect(faultsOf({ api: { key: () => "x" } })).toMatchObject([{ path: "resources.api.key" }]);
  expect(faultsOf({ api: { quota: { rate: 1, per: "1s", cost: () => 2 } } })).toEqual([
    {
      path: "resources.api.quota.cost",
      message: "what a use costs is code",
      hint: "declare it with resource(...)",
    },
  ]);
});

test("what the configuration does not say stays as declared, limits of keys and settings of the breaker too", () => {
  const base = declareResource("host", {
    key: (url: string) => url,
    limit: { default: 8, keys: { slow: 1, fast: 20 } },
    breaker: { threshold: 3, recovery: "5s" },
    quota: { rate: 60, per: "1m" },
  }).declaration;
  const changed = (setting: object): unknown => {
    const values = toResourceValues({ host: setting })["host"] ?? {};
    return parseResource({ name: "host", values, faults: [], base }).terms;
  };

  expect(changed({ limit: 4 })).toEqual({ ...base.terms, limit: 4 });
  expect(changed({ limits: { slow: 2 } })).toEqual({
    ...base.terms,
    limits: { slow: 2, fast: 20 },
  });
  expect(changed({ limit: 4, limits: { slow: 2 }, breaker: { threshold: 9 } })).toEqual({
    ...base.terms,
    limit: 4,
    limits: { slow: 2, fast: 20 },
    breaker: { ...base.terms.breaker, threshold: 9 },
  });
  expect(changed({ quota: { rate: 2, per: "1s" } })).toMatchObject({
    limit: 8,
    quotas: [{ rate: 2, perMs: 1_000, burst: 2 }],
  });
});
