// Compile-only: what pipelines, runs and results promise the compiler, good and bad. Nothing here runs.

import * as z from "zod";
import {
  definePipeline,
  input,
  map,
  pipeline,
  provided,
  required,
  resource,
  skip,
  stage,
  type ItemOutcome,
  type MemoryRunOptions,
  type Pipeline,
  type RunResult,
  type Settled,
} from "millrace";
import { recordEvents, runStage, seededRandom, testContext, virtualClock } from "millrace/testing";

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function expectType<T extends true>(): T | undefined {
  return undefined;
}

interface Page {
  readonly html: string;
}
interface Row {
  readonly id: string;
}

const source = input(z.object({ url: z.string(), depth: z.number() }));
const page = stage("fetch", { needs: { source } }, async ({ source }): Promise<Page> => ({
  html: source.url,
}));
const rows = stage("parse", { needs: { page } }, ({ page }): readonly Row[] => [{ id: page.html }]);
const scored = map("score", { over: rows, onItemFailure: "continue" }, (row) => row.id.length);
const thumb = stage("thumb", { needs: { page }, critical: false }, () => "png" as string);
const crawl = pipeline("crawl", { input: source, output: { rows, scored, thumb } });

// The input is what the schema gives, the outputs are those of the stages.
expectType<
  Equal<
    typeof crawl,
    Pipeline<
      { url: string; depth: number },
      {
        readonly rows: readonly Row[];
        readonly scored: readonly ItemOutcome<number>[];
        readonly thumb: string;
      }
    >
  >
>();

export async function good(): Promise<void> {
  const result = await crawl.run({ url: "u", depth: 1 });
  // Before anybody asks how the run ended, each output may be missing.
  expectType<Equal<typeof result.outputs.rows, readonly Row[] | undefined>>();
  expectType<Equal<typeof result.outputs.thumb, string | undefined>>();
  // unwrap throws for what is missing, so nothing of it is undefined.
  const outputs = result.unwrap();
  expectType<Equal<typeof outputs.rows, readonly Row[]>>();
  expectType<Equal<typeof outputs.scored, readonly ItemOutcome<number>[]>>();
  // Any stage may be asked for, outputs or not.
  const seen = result.output(page);
  expectType<Equal<typeof seen, Page | undefined>>();
  const named = result.output("fetch");
  expectType<Equal<typeof named, unknown>>();
  expectType<Equal<typeof result.state, RunResult["state"]>>();
  const batch = await crawl.runBatch([{ url: "u", depth: 1 }], { concurrency: 2 });
  expectType<Equal<NonNullable<(typeof batch)[0]>["outputs"]["thumb"], string | undefined>>();
}

export async function bad(): Promise<void> {
  // @ts-expect-error an input of the wrong shape
  await crawl.run({ url: 5, depth: 1 });
  // @ts-expect-error an input that lacks a field
  await crawl.run({ url: "u" });
  // @ts-expect-error a pipeline with an input needs one
  await crawl.run();
  // @ts-expect-error a batch takes a list of inputs
  await crawl.runBatch({ url: "u", depth: 1 });
  // @ts-expect-error an unknown option of a run
  await crawl.run({ url: "u", depth: 1 }, { concurency: 2 });
  // @ts-expect-error a duration without unit
  await crawl.run({ url: "u", depth: 1 }, { deadline: "30" });
  const result = await crawl.run({ url: "u", depth: 1 });
  // @ts-expect-error an output that was not declared
  void result.outputs.page;
  // @ts-expect-error an output may be missing before unwrap
  void result.outputs.rows.length;
  // @ts-expect-error a state that does not exist
  void (result.state === "success");
}

// @ts-expect-error an unknown option of a pipeline
pipeline("p", { output: { rows }, input: source, failfast: true });
// @ts-expect-error an output is a stage, not a value
pipeline("p", { output: { rows: 5 } });
// @ts-expect-error onBusy has two words
pipeline("p", { output: { rows }, input: source, onBusy: "wait" });

// Without an input none is given.
const plain = pipeline("plain", { output: { one: stage("one", {}, () => 1) } });
expectType<Equal<typeof plain, Pipeline<undefined, { readonly one: number }>>>();
// An input without a schema is what its author says.
const free = input<{ readonly n: number }>();
const typed = pipeline("typed", {
  input: free,
  output: { n: stage("n", { needs: { free } }, (needs) => needs.free.n) },
});
expectType<Equal<typeof typed, Pipeline<{ readonly n: number }, { readonly n: number }>>>();

// A stage that may skip gives its value without the skip; who reads it gets Settled.
const maybe = stage("maybe", { skips: true }, () => (Math.random() > 0.5 ? 5 : skip("no luck")));
const reader = stage("reader", { needs: { maybe, list: [maybe, page] } }, (needs) => {
  expectType<Equal<typeof needs.maybe, Settled<5>>>();
  expectType<Equal<typeof needs.list, readonly [Settled<5>, Page]>>();
  if (needs.maybe.status === "succeeded") return needs.maybe.value;
  // @ts-expect-error what did not succeed has no value to work with
  void needs.maybe.value.toFixed();
  return needs.maybe.status;
});
void reader;

// Conditions and verify see what the stage sees, and its own result.
stage(
  "checked",
  {
    needs: { page },
    when: (needs, ctx) => {
      expectType<Equal<typeof needs.page, Page>>();
      expectType<Equal<typeof ctx.attempt, number>>();
      return true;
    },
    verify: (output: number, ctx) => {
      expectType<Equal<typeof ctx.stage, string>>();
      void output.toFixed();
    },
  },
  () => 1,
);
// @ts-expect-error a condition answers yes, no or skip
stage("asked", { when: () => "yes" }, () => 1);

// Under another rule every stage need arrives as Settled, required ones too.
stage("always", { needs: { page, hard: required(thumb) }, trigger: "all_done" }, (needs) => {
  expectType<Equal<typeof needs.page, Settled<Page>>>();
  expectType<Equal<typeof needs.hard, Settled<string>>>();
});

// The state of a run is what its reader says, with a fallback or unknown without.
stage("stateful", {}, (_needs, ctx) => {
  expectType<Equal<ReturnType<typeof readCount>, number>>();
  function readCount(): number {
    return ctx.state.get("count", 0);
  }
  const unsaid = ctx.state.get("count");
  expectType<Equal<typeof unsaid, unknown>>();
  // @ts-expect-error a metric is a number
  ctx.metric.set("rows", "5");
  const kept = ctx.memo("name", () => Promise.resolve(7));
  expectType<Equal<typeof kept, Promise<number>>>();
});

// Maps: keys are texts or lists of texts, and each option has its kind.
map("keyed", { over: rows, key: (row, index) => [row.id, String(index)] }, (row) => row);
// @ts-expect-error a key is no number
map("badly keyed", { over: rows, key: (_row, index) => index }, (row) => row);
// @ts-expect-error a share is written as a percentage
map("tolerant", { over: rows, onItemFailure: "continue", tolerate: "a tenth" }, (row) => row);
// @ts-expect-error only maps stop early
stage("early", { stopAfter: { inARow: 3 } }, () => 1);
// @ts-expect-error a provided list has a type of its own
map("over provided", { over: provided<string>("list") }, (item) => item);

// The untyped form takes what it is given and answers unknown.
const loose = definePipeline({ name: "loose", stages: [{ id: "a", run: () => 1, retry: 3 }] });
expectType<Equal<typeof loose, Pipeline>>();
export async function untyped(): Promise<void> {
  const result = await loose.run("anything");
  expectType<Equal<(typeof result.outputs)[string], unknown>>();
}
// @ts-expect-error a stage of the untyped form has an id
definePipeline({ name: "loose", stages: [{ name: "a", run: () => 1 }] });

// What a breaker of one key may say, and what it may not.
resource("api", { key: String, breaker: { exclude: ["auth"], keys: { a: { threshold: 1 } } } });
// @ts-expect-error what is not counted is said for all keys together
resource("api", { key: String, breaker: { keys: { a: { exclude: ["auth"] } } } });

// What tests are given.
const options: MemoryRunOptions = {
  clock: virtualClock(),
  random: seededRandom(1),
  onEvent: recordEvents().onEvent,
};
void options;
export async function testing(): Promise<void> {
  const alone = await runStage(page, { source: { url: "u", depth: 1 } });
  expectType<Equal<typeof alone, Page>>();
  expectType<Equal<ReturnType<typeof testContext>["attempt"], number>>();
  // @ts-expect-error a context has no such part
  testContext({ atempt: 2 });
}
