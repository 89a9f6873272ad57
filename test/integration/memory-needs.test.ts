// What a stage receives from what it needs, in the typed and in the untyped form, in memory.

import { expect, test } from "vitest";
import * as z from "zod";
import {
  definePipeline,
  input,
  map,
  pipeline,
  provided,
  required,
  skip,
  stage,
  type Settled,
} from "millrace";

const echo = (value: unknown): unknown => value;

test("R14: in the untyped form the shape of what arrives follows from the number of needs", async () => {
  const shapes = definePipeline({
    name: "shapes",
    stages: [
      { id: "none", run: echo },
      { id: "one", needs: ["none"], run: (value: unknown) => ({ value }) },
      { id: "two", needs: ["none", "one"], run: echo },
    ],
  });

  const result = await shapes.run({ from: "caller" });

  expect(result.output("none")).toEqual({ from: "caller" });
  expect(result.output("one")).toEqual({ value: { from: "caller" } });
  expect(result.output("two")).toEqual({
    none: { from: "caller" },
    one: { value: { from: "caller" } },
  });
});

test("R14: in the typed form a stage receives the record of its needs under its own names", async () => {
  const source = input<{ url: string }>();
  const page = stage("fetch", { needs: { from: source } }, ({ from }) => `<${from.url}>`);
  const size = stage("size", { needs: { html: page, source } }, (needs) => needs);
  const alone = stage("alone", {}, (needs) => needs);

  const result = await pipeline("p", { input: source, output: { size, alone } }).run({ url: "u" });

  expect(result.unwrap()).toEqual({ size: { html: "<u>", source: { url: "u" } }, alone: {} });
});

test("R20: a stage is a plain function, an async function, or an object with a run function", async () => {
  class Greeter {
    readonly name = "greeter";
    readonly word = "hello";
    async run(value: unknown): Promise<string> {
      return `${this.word} ${String(value)}`;
    }
  }
  const forms = definePipeline({
    name: "forms",
    stages: [
      { id: "plain", run: (value: unknown) => value },
      { id: "promised", needs: ["plain"], run: async (value: unknown) => value },
      { id: "object", needs: ["promised"], run: new Greeter() },
    ],
  });

  const result = await forms.run("you");

  expect(result.outputs).toEqual({ object: "hello you" });
});

test("R19: two pipelines share one stage value", async () => {
  const source = input<number>();
  const shared = stage("shared", { needs: { source } }, ({ source: n }) => n + 1);
  const double = stage("double", { needs: { shared } }, (needs) => needs.shared * 2);
  const first = pipeline("first", { input: source, output: { shared } });
  const second = pipeline("second", { input: source, output: { double } });

  expect((await first.run(1)).unwrap()).toEqual({ shared: 2 });
  expect((await second.run(1)).unwrap()).toEqual({ double: 4 });
  expect(second.plan().waves).toEqual([["shared"], ["double"]]);
});

test("R15: a definition answers its entry stages", () => {
  const a = stage("a", {}, () => 1);
  const b = stage("b", { needs: { a } }, () => 1);
  const c = stage("c", {}, () => 1);
  expect(pipeline("p", { output: { b, c } }).entries()).toEqual(["a", "c"]);
});

test("R28: in memory values pass by reference, to stages and back to the caller", async () => {
  const given = { list: [1] };
  const source = input<{ list: number[] }>();
  const same = stage("same", { needs: { source } }, (needs) => needs.source);
  const seen: unknown[] = [];
  const after = stage("after", { needs: { same } }, (needs) => void seen.push(needs.same));

  const result = await pipeline("p", { input: source, output: { same, after } }).run(given);

  expect(result.outputs.same).toBe(given);
  expect(seen[0]).toBe(given);
});

test("a value that no store could hold passes in memory", async () => {
  const open = stage("open", {}, () => ({ close: () => "closed" }));
  const use = stage("use", { needs: { open } }, (needs) => needs.open.close());
  expect((await pipeline("p", { output: { use } }).run(undefined)).unwrap().use).toBe("closed");
});

test("a list of needs arrives as a tuple, each element as it would alone", async () => {
  const a = stage("a", {}, () => 1);
  const b = stage("b", { critical: false }, () => "two");
  const c = stage("c", { skips: true }, () => skip("none today"));
  const all = stage("all", { needs: { parts: [a, b, c] } }, ({ parts }) => parts);

  const result = await pipeline("p", { output: { all } }).run(undefined);

  expect(result.unwrap().all).toEqual([
    1,
    { status: "succeeded", value: "two" },
    { status: "skipped", reason: "none today" },
  ]);
});

test("a soft need arrives as Settled however it ended, and the reader runs", async () => {
  const fails = stage("fails", { critical: false }, () => {
    throw new Error("boom");
  });
  const behind = stage("behind", { needs: { fails: required(fails) } }, () => 1);
  const skips = stage("skips", { skips: true }, () => skip("not today"));
  const works = stage("works", { when: () => true }, () => 5);
  const seen = stage("seen", { needs: { fails, behind, skips, works } }, (needs) => needs);

  const result = await pipeline("p", { output: { seen } }).run(undefined);

  const { fails: failed, behind: after, ...rest } = result.unwrap().seen;
  expect(failed).toMatchObject({ status: "failed", error: { message: "boom", attempts: 1 } });
  expect(after).toMatchObject({ status: "upstream_failed", error: { stage: "fails" } });
  expect(rest).toEqual({
    skips: { status: "skipped", reason: "not today" },
    works: { status: "succeeded", value: 5 },
  });
});

test("a required need arrives as the plain value", async () => {
  const soft = stage("soft", { critical: false }, () => 5);
  const hard = stage("hard", { needs: { soft: required(soft) } }, (needs) => needs.soft + 1);
  const last = stage("last", { needs: { hard: required(hard) } }, (needs) => needs.hard + 1);
  expect((await pipeline("p", { output: { last } }).run(undefined)).unwrap()).toEqual({ last: 7 });
});

test.each([
  ["failed", "upstream_failed"],
  ["skipped", "skipped"],
] as const)("a required need that %s ends its reader %s", async (ending, expected) => {
  const soft = stage("soft", { critical: false, skips: true }, () => {
    if (ending === "skipped") return skip("no reason");
    throw new Error("boom");
  });
  let ran = false;
  const hard = stage("hard", { needs: { soft: required(soft) } }, () => void (ran = true));

  const result = await pipeline("p", { output: { hard } }).run(undefined);

  expect(ran).toBe(false);
  expect(result.stages["hard"]?.state).toBe(expected);
  if (expected === "skipped") expect(result.stages["hard"]?.reason).toBe("upstream_skipped");
  else expect(result.stages["hard"]?.error?.stage).toBe("soft");
});

test("under any rule but all_success every need arrives as Settled, hard and required ones too", async () => {
  const source = input<string>();
  const plain = stage("plain", {}, () => 1);
  const soft = stage("soft", { critical: false }, () => 2);
  const all = stage(
    "all",
    { needs: { plain, soft: required(soft), source, list: [plain] }, trigger: "all_done" },
    (needs) => needs,
  );

  const result = await pipeline("p", { input: source, output: { all } }).run("in");

  const one: Settled<number> = { status: "succeeded", value: 1 };
  expect(result.unwrap().all).toEqual({
    plain: one,
    soft: { status: "succeeded", value: 2 },
    source: "in",
    list: [one],
  });
});

test("in the untyped form a soft need arrives as Settled too", async () => {
  const made = definePipeline({
    name: "soft",
    stages: [
      { id: "a", run: () => 1, critical: false },
      { id: "b", needs: ["a"], run: echo },
    ],
  });
  expect((await made.run(undefined)).output("b")).toEqual({ status: "succeeded", value: 1 });
});

test("the same need under two names and in a list counts once", async () => {
  const a = stage("a", {}, () => [1, 2]);
  const b = stage("b", { needs: { x: a, y: a, z: [a, a] } }, (needs) => needs);
  const m = map("m", { needs: { a }, over: a }, (item, needs) => [item, needs.a]);

  const result = await pipeline("p", { output: { b, m } }).run(undefined);

  expect(result.unwrap()).toEqual({
    b: {
      x: [1, 2],
      y: [1, 2],
      z: [
        [1, 2],
        [1, 2],
      ],
    },
    m: [
      [1, [1, 2]],
      [2, [1, 2]],
    ],
  });
});

test("a need called __proto__ arrives like any other", async () => {
  const made = definePipeline({
    name: "odd",
    stages: [
      { id: "__proto__", run: () => ({ polluted: true }) },
      { id: "constructor", run: () => 1 },
      { id: "reader", needs: ["__proto__", "constructor"], run: echo },
    ],
  });

  const seen = (await made.run(undefined)).output("reader");

  expect(Object.entries(seen ?? {})).toEqual([
    ["__proto__", { polluted: true }],
    ["constructor", 1],
  ]);
  expect(seen).not.toHaveProperty("polluted");
});

test("a provided value arrives by its name", async () => {
  const llm = provided<{ ask(question: string): string }>("llm");
  const ask = stage("ask", { needs: { llm } }, (needs) => needs.llm.ask("why"));
  const made = pipeline("p", { output: { ask } });

  const result = await made.run(undefined, {
    provide: { llm: { ask: (text: string) => `${text}?` } },
  });

  expect(result.unwrap().ask).toBe("why?");
});

test("provided values that are missing are all named, with who needs them, before anything starts", async () => {
  let started = false;
  const first = stage("first", {}, () => void (started = true));
  const llm = provided<string>("llm");
  const db = provided<string>("db");
  const ask = stage("ask", { needs: { llm, first } }, () => 1);
  const keep = stage("keep", { needs: { parts: [llm, db] } }, () => 1);
  const over = map("over", { over: provided<readonly number[]>("list") }, () => 1);
  const made = pipeline("p", { output: { ask, keep, over } });

  const running = made.run(undefined, { provide: { db: "there" } });

  await expect(running).rejects.toMatchObject({
    code: "PROVIDED_MISSING",
    details: { missing: ["llm", "list"] },
    hint: "pass provide: { llm, list }",
  });
  await expect(running).rejects.toThrow('"llm" (needed by ask, keep), "list" (needed by over)');
  expect(started).toBe(false);
});

test("an input is checked by its schema before anything starts, and arrives as the schema gives it", async () => {
  let started = 0;
  const source = input(z.object({ n: z.number().int().default(7), s: z.string() }));
  const a = stage("a", { needs: { source } }, (needs) => {
    started += 1;
    return needs.source;
  });
  const made = pipeline("p", { input: source, output: { a } });

  // The caller may leave out what the schema fills in; the type is that of what the schema gives.
  const good = await made.run(JSON.parse('{"s":"x"}'));
  expect(good.unwrap().a).toEqual({ n: 7, s: "x" });

  const bad = made.run(JSON.parse('{"n":1.5}'));
  await expect(bad).rejects.toMatchObject({ code: "INPUT_INVALID" });
  await expect(bad).rejects.toThrow(/n: .*\n {2}s: /);
  expect(started).toBe(1);
});

test("results of runBatch stand in input order and a failed run stops no other", async () => {
  const source = input<number>();
  const a = stage("a", { needs: { source } }, async (needs) => {
    await Promise.resolve();
    if (needs.source % 3 === 0) throw new Error(`no ${needs.source}`);
    return needs.source * 2;
  });
  const made = pipeline("p", { input: source, output: { a } });

  const results = await made.runBatch([1, 2, 3, 4, 5, 6, 7], { concurrency: 2 });

  expect(results.map((one) => one.state)).toEqual(
    [1, 2, 3, 4, 5, 6, 7].map((n) => (n % 3 === 0 ? "failed" : "succeeded")),
  );
  expect(results.map((one) => one.outputs.a)).toEqual([2, 4, undefined, 8, 10, undefined, 14]);
});
