// What a definition may not be: every fault at once, with its path and what was probably meant; and options that
// are understood but not built yet, which refuse to run.
// oxlint-disable unicorn/no-thenable -- `then` is the verb of a retry rule

import { expect, test } from "vitest";
import {
  command,
  definePipeline,
  input,
  isMillraceError,
  map,
  pipeline,
  resource,
  stage,
  type PipelineByIdOptions,
  type StageById,
} from "millrace";

interface Fault {
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
}

/** The faults of a definition that must be refused. */
function faultsOf(make: () => unknown): readonly Fault[] {
  try {
    make();
  } catch (error) {
    if (!isMillraceError(error)) throw error;
    expect(error.code).toBe("DEFINITION_INVALID");
    expect(error.hint).toBe("mend the definition; nothing was started");
    // The shape is what this test is about.
    const faults = error.details?.["faults"] as unknown as readonly Fault[];
    for (const fault of faults) expect(error.message).toContain(`${fault.path}: ${fault.message}`);
    return faults;
  }
  throw new Error("The definition was accepted.");
}

const run = (): number => 1;

/** The faults of an untyped pipeline with these stages and options. */
function byId(
  stages: readonly StageById[],
  options: Readonly<Record<string, unknown>> = {},
): readonly Fault[] {
  const whole: unknown = { name: "p", stages, ...options };
  return faultsOf(() => definePipeline(whole as PipelineByIdOptions));
}

/** The faults of one stage with these options. */
const ofStage = (options: Readonly<Record<string, unknown>>): readonly Fault[] =>
  byId([{ id: "a", run, ...options }]);
const ofTolerant = (options: Readonly<Record<string, unknown>>): readonly Fault[] =>
  ofMap({ onItemFailure: "continue", ...options });
const ofMap = (options: Readonly<Record<string, unknown>>): readonly Fault[] =>
  byId([{ id: "a", over: [1], run, ...options }]);

test("R4: a duplicate id is a fault that names it", () => {
  expect(
    byId([
      { id: "a", run },
      { id: "a", run },
    ]),
  ).toEqual([
    {
      path: "stages.a",
      message: 'duplicate stage "a": two stages have this name',
      hint: "rename one of them",
    },
  ]);
  const first = stage("same", {}, run);
  const second = stage("same", {}, run);
  expect(faultsOf(() => pipeline("p", { stages: [first, second] }))).toMatchObject([
    { path: "stages.same" },
  ]);
});

test("R5: a need that leads nowhere names the stage, the missing name and the nearest one", () => {
  const faults = byId([
    { id: "preprocess", run },
    { id: "extract", needs: ["preproces"], run },
  ]);
  expect(faults).toEqual([
    {
      path: "stages.extract.needs",
      message: 'needs "preproces", which is no stage of this pipeline',
      hint: 'did you mean "preprocess"?',
    },
  ]);
  expect(byId([{ id: "a", needs: ["something else"], run }])[0]?.hint).toBe("known: a");
});

test("R6: a cycle is found and its path is printed", () => {
  const faults = byId([
    { id: "entry", run },
    { id: "a", needs: ["b", "entry"], run },
    { id: "b", needs: ["a"], run },
  ]);
  expect(faults).toHaveLength(1);
  expect(faults[0]?.message).toMatch(/^needs go round in a cycle: (a -> b -> a|b -> a -> b)$/);
});

test("R6: a stage that needs itself is a cycle of one", () => {
  expect(
    byId([
      { id: "e", run },
      { id: "a", needs: ["a"], run },
    ])[0]?.message,
  ).toBe("needs go round in a cycle: a -> a");
});

test("R7: a pipeline in which every stage needs another one has no entry", () => {
  const faults = byId([
    { id: "a", needs: ["b"], run },
    { id: "b", needs: ["a"], run },
  ]);
  expect(faults.map(({ message }) => message)).toContain("no entry: every stage needs another one");
});

test("R8: all faults are told at once", () => {
  const faults = byId(
    [
      { id: "a", run, timeuot: "3s" },
      { id: "a", run },
      { id: "b", needs: ["nobody"], run, retry: { attempts: 0, max_delay: "1m" } },
      { id: "c", run: 5 },
      { id: "d", over: "x", run, concurrency: -1 },
      { id: "9lives", run },
    ],
    { failFast: "yes", deadlin: "1h", output: { x: "bb" } },
  );
  expect(faults.map(({ path }) => path).toSorted()).toEqual(
    [
      "pipeline.failFast",
      "pipeline.deadlin",
      "output.x",
      "stages.a",
      "stages.a.timeuot",
      "stages.b.needs",
      "stages.b.retry.attempts",
      "stages.b.retry.max_delay",
      "stages.c.run",
      "stages.d.concurrency",
      "stages.d.over",
      "stages.9lives",
    ].toSorted(),
  );
});

test("R10 R283: an unknown key is refused with the nearest one, in any spelling of a known key", () => {
  for (const [wrong, right] of [
    ["max_delay", "maxDelay"],
    ["initial_delay", "initialDelay"],
    ["attempt", "attempts"],
  ] as const) {
    expect(ofStage({ retry: { [wrong]: 1 } })).toEqual([
      {
        path: `stages.a.retry.${wrong}`,
        message: `"${wrong}" is not an option here`,
        hint: `did you mean "${right}"?`,
      },
    ]);
  }
  expect(ofStage({ qeueTimeout: "1s" })[0]?.hint).toBe('did you mean "queueTimeout"?');
  expect(ofMap({ on_item_failure: "fail" })[0]?.hint).toBe('did you mean "onItemFailure"?');
  expect(byId([{ id: "a", run }], { fail_fast: true })[0]?.hint).toBe('did you mean "failFast"?');
  expect(ofStage({ zzz: 1 })[0]?.hint).toContain("known: ");
});

test("R10: keys that start with x- are free, in stages and pipelines", async () => {
  const noted = { name: "p", stages: [{ id: "a", run, "x-note": "mine" }], "x-owner": "core" };
  expect((await definePipeline(noted).run(undefined)).state).toBe("succeeded");
});

test("an option of another kind of stage is refused: an option without effect is never accepted", () => {
  for (const option of ["key", "concurrency", "stopAfter", "tolerate", "maxItems"]) {
    expect(ofStage({ [option]: 1 })[0]?.message).toBe(`"${option}" is not an option here`);
  }
  expect(ofMap({ argv: ["true"] }).length).toBeGreaterThan(0);
  expect(ofMap({ tolerate: 1 })).toEqual([
    {
      path: "stages.a.tolerate",
      message: 'has no effect with onItemFailure: "fail"',
      hint: 'set onItemFailure: "continue"',
    },
  ]);
  expect(ofStage({ idempotent: false, persist: false })[0]?.message).toContain("cannot stand");
});

test("R94: a map that ends with its first failure cannot stop earlier: stopAfter is refused there", () => {
  expect(ofMap({ stopAfter: { inARow: 10 } })).toEqual([
    {
      path: "stages.a.stopAfter",
      message: 'has no effect with onItemFailure: "fail"',
      hint: 'set onItemFailure: "continue"',
    },
  ]);
});

test.each([
  [{}, "stages.a.stopAfter"],
  [{ share: 0.5 }, "stages.a.stopAfter"],
  [{ of: 5 }, "stages.a.stopAfter"],
  [{ inARow: 3, of: 5 }, "stages.a.stopAfter"],
  [{ inARow: 3, share: 0.5, of: 5 }, "stages.a.stopAfter"],
  [{ inARow: 100_001 }, "stages.a.stopAfter.inARow"],
  [{ share: 0, of: 5 }, "stages.a.stopAfter.share"],
  [{ share: 0.5, of: 0 }, "stages.a.stopAfter.of"],
  [{ in_a_row: 3, inARow: 3 }, "stages.a.stopAfter.in_a_row"],
  [10, "stages.a.stopAfter"],
])("R94: stopAfter of %j is refused where it is wrong", (stopAfter, path) => {
  expect(ofTolerant({ stopAfter }).map((fault) => fault.path)).toEqual([path]);
});

test("R94: both forms of stopAfter are part of the definition and its hash", () => {
  const hashOf = (stopAfter?: object): string =>
    definePipeline({
      name: "p",
      stages: [{ id: "a", over: [1], run, onItemFailure: "continue", stopAfter }],
    }).hash;
  const forms = [
    undefined,
    { inARow: 1 },
    { inARow: 2 },
    { share: 1, of: 2 },
    { share: 0.5, of: 2 },
  ];
  expect(new Set(forms.map(hashOf)).size).toBe(forms.length);
});

test("the hash says that a stage has a classifier, and not which", () => {
  const hashOf = (classify?: () => undefined): string =>
    definePipeline({ name: "p", stages: [{ id: "a", run, classify }] }).hash;
  expect(hashOf(() => undefined)).toBe(hashOf(() => undefined));
  expect(hashOf(() => undefined)).not.toBe(hashOf());
});

test("the key of a map that follows another one has no effect and is refused", () => {
  const faults = byId([
    { id: "a", over: [1], onItemFailure: "continue", run },
    { id: "b", over: "a", key: () => "k", run },
  ]);
  expect(faults).toEqual([
    {
      path: "stages.b.key",
      message: 'has no effect over "a": items keep the keys they have there',
    },
  ]);
});

test.each([
  ["timeout", "30", 'which has no unit: write "30ms" or "30s"'],
  ["timeout", 0, "expected 1 ms to 366 days"],
  ["timeout", -5, "expected"],
  ["timeout", "367d", "expected 1 ms to 366 days"],
  ["deadline", "soon", "expected whole milliseconds or a number with a unit"],
  ["queueTimeout", 1.5, "expected"],
  ["deadline", Number.NaN, "expected"],
  ["deadline", null, "expected"],
])("R283: %s of %s is no duration and the message says what is", (key, value, message) => {
  expect(ofStage({ [key]: value })[0]).toMatchObject({ path: `stages.a.${key}` });
  expect(ofStage({ [key]: value })[0]?.message).toContain(message);
});

test("R283: a duration with a unit is the same as its milliseconds", () => {
  const make = (timeout: number | "30s"): string =>
    definePipeline({ name: "p", stages: [{ id: "a", run, timeout }] }).hash;
  expect(make("30s")).toBe(make(30_000));
});

const BAD_NUMBERS = [Number.NaN, Number.POSITIVE_INFINITY, -1, null, "5", 1.5] as const;

test.each([
  ["retry", (value: unknown) => ofStage({ retry: value })],
  ["retry.attempts", (value: unknown) => ofStage({ retry: { attempts: value } })],
  ["retry.factor", (value: unknown) => ofStage({ retry: { factor: value } })],
  ["retry.initialDelay", (value: unknown) => ofStage({ retry: { initialDelay: value } })],
  ["retry.maxDelay", (value: unknown) => ofStage({ retry: { maxDelay: value } })],
  ["retry.jitter", (value: unknown) => ofStage({ retry: { jitter: value } })],
  ["concurrency", (value: unknown) => ofMap({ concurrency: value })],
  ["maxItems", (value: unknown) => ofMap({ maxItems: value })],
  ["minSuccess", (value: unknown) => ofMap({ onItemFailure: "continue", minSuccess: value })],
  ["tolerate", (value: unknown) => ofMap({ onItemFailure: "continue", tolerate: value })],
  ["stopAfter", (value: unknown) => ofTolerant({ stopAfter: { inARow: value } })],
  ["stopAfter.of", (value: unknown) => ofTolerant({ stopAfter: { share: 1, of: value } })],
  ["stopAfter.share", (value: unknown) => ofTolerant({ stopAfter: { share: value, of: 1 } })],
  ["attempts", (value: unknown) => byId([{ id: "a", run }], { attempts: value })],
] as const)("no impossible number is accepted for %s", (path, refuse) => {
  for (const value of BAD_NUMBERS) {
    if (path === "retry.factor" && value === 1.5) continue;
    const faults = refuse(value);
    expect(faults).toHaveLength(1);
    expect(faults[0]?.path).toContain(path);
  }
});

test.each(["tolerate", "minSuccess", "retry.initialDelay", "retry.jitter"])(
  "0 is a value of %s",
  (path) => {
    const stages: readonly StageById[] = path.startsWith("retry.")
      ? [{ id: "a", run, retry: { [path.slice(6)]: 0 } }]
      : [{ id: "a", over: [1], run, onItemFailure: "continue", [path]: 0 }];
    expect(definePipeline({ name: "p", stages }).name).toBe("p");
  },
);

test.each(["concurrency", "maxItems", "stopAfter", "retry.attempts"])("0 is none of %s", (path) => {
  if (path === "retry.attempts") expect(ofStage({ retry: 0 })).toHaveLength(1);
  else if (path === "stopAfter") expect(ofTolerant({ stopAfter: { inARow: 0 } })).toHaveLength(1);
  else expect(ofMap({ [path]: 0 })).toHaveLength(1);
});

test("unbounded waits that grow are refused", () => {
  expect(ofStage({ retry: { maxDelay: "none" } })[0]).toMatchObject({
    path: "stages.a.retry.maxDelay",
    hint: "set factor to 1, or a maxDelay",
  });
  const fixed = { attempts: 3, maxDelay: "none", factor: 1 };
  expect(definePipeline({ name: "p", stages: [{ id: "a", run, retry: fixed }] }).name).toBe("p");
});

test.each([
  [{ trigger: "all_succes" }, "stages.a.trigger", 'did you mean "all_success"?'],
  [{ retry: { retryOn: ["timeouts"] } }, "stages.a.retry.retryOn", undefined],
  [{ retry: { jitter: "some" } }, "stages.a.retry.jitter", undefined],
  [{ retry: { rules: [{ match: {}, then: "giveup" }] } }, "stages.a.retry.rules.0.then", undefined],
  [{ retry: { rules: [{ then: "fail" }] } }, "stages.a.retry.rules.0", undefined],
  [
    { retry: { rules: [{ match: { status: 5 }, then: "fail" }] } },
    "stages.a.retry.rules.0.match.status",
    undefined,
  ],
  [
    { retry: { rules: [{ match: {}, them: 1, then: "fail" }] } },
    "stages.a.retry.rules.0.them",
    "known: match, then",
  ],
  [
    { retry: { rules: [{ match: {}, then: { retryAfter: "1s", attempts: 3 } }] } },
    "stages.a.retry.rules.0.then.attempts",
    "known: retryAfter",
  ],
  [
    { retry: { rules: [{ match: {}, then: { retryAfter: "-1s" } }] } },
    "stages.a.retry.rules.0.then",
    undefined,
  ],
  [
    { retry: { rules: [{ match: { class: "permanent" }, then: "retry" }] } },
    "stages.a.retry.rules.0.match.class",
    undefined,
  ],
  [
    { retry: { rules: [{ match: { attempt: 0 }, then: "retry" }] } },
    "stages.a.retry.rules.0.match.attempt",
    undefined,
  ],
  [{ when: true }, "stages.a.when", undefined],
  [{ critical: "no" }, "stages.a.critical", undefined],
  [{ output: {} }, "stages.a.output", undefined],
  [{ verify: { file: "x" } }, "stages.a.verify", undefined],
  [{ classify: "text" }, "stages.a.classify", undefined],
  [{ uses: [5] }, "stages.a.uses", undefined],
  [{ tags: "one" }, "stages.a.tags", undefined],
  [{ description: "" }, "stages.a.description", undefined],
] as const)("%j is refused where it stands", (options, path, hint) => {
  const faults = ofStage(options);
  expect(faults).toHaveLength(1);
  expect(faults[0]?.path).toBe(path);
  if (hint !== undefined) expect(faults[0]?.hint).toBe(hint);
});

test.each(["", "1a", "a b", "a/b", "ä", "a".repeat(101), 5])("%j is no name", (name) => {
  const stages = [{ id: name as string, run }];
  expect(faultsOf(() => definePipeline({ name: "p", stages })).length).toBeGreaterThan(0);
  expect(
    faultsOf(() => definePipeline({ name: name as string, stages: [{ id: "a", run }] })),
  ).toMatchObject([{ path: "name" }]);
});

test("a pipeline without stages, and what is no stage, is refused", () => {
  expect(byId([])).toEqual([{ path: "stages", message: "a pipeline needs at least one stage" }]);
  expect(faultsOf(() => pipeline("p", {}))).toMatchObject([{ path: "stages" }]);
  const odd: unknown = { name: "p", stages: "a, b" };
  expect(faultsOf(() => definePipeline(odd as PipelineByIdOptions))[0]?.message).toBe(
    'expected a list of stages; got "a, b"',
  );
  expect(byId([null as unknown as StageById])[0]?.message).toContain("expected { id, needs, run");
  const noStage: unknown = { output: { x: 5 } };
  expect(faultsOf(() => pipeline("p", noStage as object))).toMatchObject([
    { path: "output.x", message: "expected a stage; got 5" },
  ]);
});

test("more than 10,000 stages are refused", () => {
  const stages = Array.from({ length: 10_001 }, (_, index) => ({ id: `s${index}`, run }));
  expect(byId(stages)).toMatchObject([
    {
      message: "10001 stages, at most 10000 are possible",
      hint: "put the repetition into a map stage",
    },
  ]);
});

test("needs that are neither stages nor values of the pipeline are refused", () => {
  const own = input<number>();
  const other = input<number>();
  const a = stage("a", { needs: { other } }, run);
  expect(faultsOf(() => pipeline("p", { input: own, output: { a } }))).toMatchObject([
    { path: "stages.a.needs.other", message: "needs an input that is not the pipeline's own" },
  ]);
  const odd: unknown = { needs: { x: 5, y: [null] } };
  const b = stage("b", odd as object, run);
  expect(faultsOf(() => pipeline("p", { output: { b } })).map(({ path }) => path)).toEqual([
    "stages.b.needs.x",
    "stages.b.needs.y",
  ]);
});

test("a list that may be missing needs required(...), also without types", () => {
  const faults = byId([
    { id: "maybe", run: () => [1], critical: false },
    { id: "m", over: "maybe", run },
  ]);
  expect(faults).toMatchObject([
    { path: "stages.m.over", message: 'runs over "maybe", which may end without a list' },
  ]);
  const soft: unknown = stage("soft", { when: () => true }, () => [1]);
  const m = map("m", { over: soft as readonly number[] }, run);
  expect(faultsOf(() => pipeline("p", { output: { m } }))).toMatchObject([
    { path: "stages.m.over", hint: "write over: required(...)" },
  ]);
});

test("a list that is soft because of its own needs is found too", () => {
  const faults = byId([
    { id: "maybe", argv: ["true"], parse: "jsonl", skipOn: { exitCode: 3 } },
    { id: "m", over: "maybe", run },
  ]);
  expect(faults).toMatchObject([{ path: "stages.m.over" }]);
});

test("a command needs a program, and a function has no place in it", () => {
  expect(byId([{ id: "a", argv: [] }])).toMatchObject([{ path: "stages.a.argv" }]);
  expect(byId([{ id: "a", argv: ["true"], skipOn: { exitCode: 0 } }])).toMatchObject([
    { path: "stages.a.skipOn.exitCode" },
  ]);
  expect(byId([{ id: "a", argv: ["true"], env: { A: 1 } }])).toMatchObject([
    { path: "stages.a.env" },
  ]);
});

test("R9: an invalid definition calls nothing", () => {
  let called = false;
  const spy = (): void => void (called = true);
  byId([{ id: "a", run: spy, when: spy, over: spy, timeuot: 1 }]);
  expect(called).toBe(false);
});

test("resources are checked when they are declared", () => {
  expect(faultsOf(() => resource("api", { limit: 0 }))).toMatchObject([
    { path: "resources.api.limit" },
  ]);
  const quota = { rate: 0, per: "1m" } as const;
  expect(faultsOf(() => resource("api", { quota }))).toMatchObject([
    { path: "resources.api.quota.rate" },
  ]);
  expect(faultsOf(() => resource("api", { breaker: { threshold: 0 } }))).toMatchObject([
    { path: "resources.api.breaker.threshold" },
  ]);
});

let calls = 0;

function one(
  options: Readonly<Record<string, unknown>>,
  ofPipeline: Readonly<Record<string, unknown>> = {},
): ReturnType<typeof definePipeline> {
  const whole: unknown = {
    name: "p",
    stages: [{ id: "a", run: () => void (calls += 1), ...options }],
    ...ofPipeline,
  };
  return definePipeline(whole as PipelineByIdOptions);
}

test("options may be written as switched off", async () => {
  const off = { uses: [], cache: false, runIn: "main" };
  const made = one(off, { gate: "off", onBusy: "refuse" });
  expect((await made.run(undefined)).state).toBe("succeeded");
});

test("a stage for threads needs the address of its module, in both forms, and a command needs no thread", () => {
  const fault = {
    path: "stages.a.runIn",
    message: '"thread" needs the address of the module that exports the pipeline',
    hint: "write pipeline(name, { module: import.meta.url, ... }) and export it",
  };
  expect(faultsOf(() => one({ runIn: "thread" }))).toEqual([fault]);
  const typed = stage("a", { runIn: "thread" }, () => 1);
  const mapped = map("b", { over: [1], runIn: "thread" }, (item) => item);
  const both = { stages: [typed, mapped] };
  expect(faultsOf(() => pipeline("p", both))).toEqual([
    fault,
    { ...fault, path: "stages.b.runIn" },
  ]);
  expect(pipeline("p", { ...both, module: import.meta.url }).definition.stages[0]?.runIn).toBe(
    "thread",
  );
  const program = command("a", { argv: ["true"], runIn: "thread" });
  expect(faultsOf(() => pipeline("p", { stages: [program], module: import.meta.url }))).toEqual([
    {
      path: "stages.a.runIn",
      message: "a command has a process of its own",
      hint: "remove it",
    },
  ]);
});

test("a gate and probes change nothing where a pipeline runs in memory, and only the gate makes another definition", async () => {
  const plain = one({});
  const probed = one({ health: () => false });
  const gated = one({}, { gate: "health" });

  expect((await gated.run(undefined)).state).toBe("succeeded");
  expect((await probed.run(undefined)).state).toBe("succeeded");
  expect(probed.hash).toBe(plain.hash);
  expect(one({}, { gate: "off" }).hash).toBe(plain.hash);
  expect(gated.hash).not.toBe(plain.hash);
  expect(faultsOf(() => one({ health: true }, { gate: "healthy" }))).toMatchObject([
    { path: "pipeline.gate", message: 'expected "off" and "health"; got "healthy"' },
    { path: "stages.a.health" },
  ]);
});

test("R1 R2: a definition has defaults, and shows what was said of its stages", () => {
  const quick = command("quick", { argv: ["true"], description: "says nothing" });
  const made = pipeline("p", { stages: [quick] });
  expect(made.definition).toMatchObject({ name: "p", failFast: true, description: null });
  expect(made.definition.stages[0]).toMatchObject({
    name: "quick",
    description: "says nothing",
    needs: [],
    tags: [],
    output: null,
  });
});

test("R86: functions have no timeout unless said, commands an hour, and each knows where it came from", () => {
  const plain = stage("plain", {}, run);
  const own = stage("own", { timeout: "3s" }, run);
  const child = command("child", { argv: ["true"] });
  const timeoutsOf = (defaults: object): unknown =>
    pipeline("p", { stages: [plain, own, child], ...defaults }).definition.stages.map((one) => [
      one.timeoutMs,
      one.origins["timeout"],
    ]);
  expect(timeoutsOf({})).toEqual([
    [null, "default"],
    [3_000, "stage"],
    [3_600_000, "default"],
  ]);
  expect(timeoutsOf({ defaults: { timeout: "10s" } })).toEqual([
    [10_000, "pipeline"],
    [3_000, "stage"],
    [10_000, "pipeline"],
  ]);
});

test("the hash covers what a stage is, and not its code", () => {
  const hashOf = (options: Readonly<Record<string, unknown>>, code: () => unknown): string =>
    definePipeline({ name: "p", stages: [{ id: "a", run: code, ...options }] }).hash;
  const plain = hashOf({}, () => 1);
  expect(hashOf({}, () => 2)).toBe(plain);
  expect(hashOf({ description: "words" }, () => 1)).toBe(plain);
  for (const options of [
    { retry: 2 },
    { timeout: 5 },
    { critical: false },
    { version: "2" },
    { trigger: "all_done" },
    { over: [1] },
  ]) {
    expect(hashOf(options, () => 1)).not.toBe(plain);
  }
});
