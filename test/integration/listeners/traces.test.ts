// Traces, with the SDK that a program brings: what lies under what, what points where, and that nothing is made of it
// where nobody has set one up.

import { context, trace, type SpanContext } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
  type ReadableSpan,
} from "@opentelemetry/sdk-trace";
import { afterEach, expect, test } from "vitest";
import { findTracing, prepareTracing } from "../../../src/service/listeners/tracing.ts";
import { definePipeline } from "../../../src/service/pipeline.ts";
import { makeDurableWorld } from "../../support/durable/durable-world.ts";

afterEach(() => {
  trace.disable();
  context.disable();
});

/** Sets up the SDK as a program would. */
function setUp(): InMemorySpanExporter {
  const exporter = new InMemorySpanExporter();
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(
    new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }),
  );
  return exporter;
}

function makePipeline(): ReturnType<typeof definePipeline> {
  let tries = 0;
  return definePipeline({
    name: "traced",
    stages: [
      {
        id: "list",
        run: async () => {
          await Promise.resolve();
          trace.getTracer("user").startSpan("own call").end();
          return ["a", "b"];
        },
      },
      {
        id: "each",
        over: "list",
        key: (item: unknown) => String(item),
        retry: { attempts: 2, initialDelay: 1, jitter: "none" },
        run: (item: unknown) => {
          tries += item === "a" ? 1 : 0;
          if (item === "a" && tries === 1)
            throw Object.assign(new Error("reset"), { code: "ECONNRESET" });
          return item;
        },
      },
      {
        id: "bad",
        needs: ["each"],
        run: () => {
          throw new TypeError(`${"long ".repeat(200)}`);
        },
      },
    ],
  });
}

/** Spans as `name` or `name under parent`, in order of name. */
function describe(spans: readonly ReadableSpan[]): readonly string[] {
  const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]));
  return spans
    .map((span) => {
      const parent = byId.get(span.parentSpanContext?.spanId ?? "");
      return parent === undefined ? span.name : `${span.name} under ${parent.name}`;
    })
    .toSorted((left, right) => (left < right ? -1 : 1));
}

function find(spans: readonly ReadableSpan[], name: string): ReadableSpan {
  const found = spans.find((span) => span.name === name);
  if (found === undefined) throw new Error(`There is no span "${name}".`);
  return found;
}

test("a run of the queue points to who enqueued it; stages, items and attempts lie under it, and so does what they call", async () => {
  const exporter = setUp();
  const pipeline = makePipeline();
  const mill = await makeDurableWorld().open([pipeline]);
  const caller = trace.getTracer("user").startSpan("request");
  await context.with(trace.setSpan(context.active(), caller), () =>
    mill.enqueue(pipeline, [{ input: null }]),
  );
  await mill.work({ drain: true });
  const spans = exporter.getFinishedSpans();

  expect(describe(spans)).toEqual([
    "attempt bad under stage bad",
    "attempt each under item each",
    "attempt each under item each",
    "attempt each under item each",
    "attempt list under stage list",
    "enqueue traced",
    "item each under stage each",
    "item each under stage each",
    "own call under attempt list",
    "run traced",
    "stage bad under run traced",
    "stage each under run traced",
    "stage list under run traced",
  ]);
  const [enqueue, run] = [find(spans, "enqueue traced"), find(spans, "run traced")];
  expect(enqueue.parentSpanContext?.spanId).toBe(caller.spanContext().spanId);
  expect(run.parentSpanContext).toBeUndefined();
  expect(run.links.map((link: { context: SpanContext }) => link.context.spanId)).toEqual([
    enqueue.spanContext().spanId,
  ]);
});

test("what failed says its class and fingerprint, and its message is cut", async () => {
  const exporter = setUp();
  const pipeline = makePipeline();
  const mill = await makeDurableWorld().open([pipeline]);
  await (await mill.start(pipeline, null)).result();
  const spans = exporter.getFinishedSpans();

  const bad = find(spans, "attempt bad");
  expect(bad.attributes).toMatchObject({ "error.type": "bug", "millrace.outcome": "failed" });
  expect(bad.attributes["millrace.fingerprint"]).toMatch(/^\w+$/);
  expect(bad.status.message?.length).toBeLessThanOrEqual(200);
  expect(bad.events).toEqual([]);
  const failed = spans.filter(
    ({ name, attributes }) => name === "attempt each" && "error.type" in attributes,
  );
  expect(failed.map(({ attributes }) => attributes["millrace.item"])).toEqual(["a"]);
  expect(find(spans, "run traced").attributes["millrace.outcome"]).toBe("failed");
});

test("a run that is started here lies under who started it", async () => {
  const exporter = setUp();
  const pipeline = makePipeline();
  const mill = await makeDurableWorld().open([pipeline]);
  const caller = trace.getTracer("user").startSpan("request");
  const run = await context.with(trace.setSpan(context.active(), caller), () =>
    mill.start(pipeline, null),
  );
  await run.result();
  const traced = find(exporter.getFinishedSpans(), "run traced");
  expect(traced.parentSpanContext?.spanId).toBe(caller.spanContext().spanId);
});

test("a run that is let go ends its span and those under it", async () => {
  const exporter = setUp();
  const begun = Promise.withResolvers<void>();
  const pipeline = definePipeline({
    name: "traced",
    stages: [
      {
        id: "long",
        run: async (_: unknown, ctx: { readonly signal: AbortSignal }) => {
          begun.resolve();
          await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
        },
      },
    ],
  });
  const mill = await makeDurableWorld().open([pipeline]);
  await mill.start(pipeline, null);
  await begun.promise;
  await mill.close({ drainMs: 0 });
  expect(describe(exporter.getFinishedSpans())).toEqual([
    "attempt long under stage long",
    "run traced",
    "stage long under run traced",
  ]);
});

test("where nobody has set up an SDK nothing is followed, and the code of attempts is called as it is", async () => {
  await prepareTracing();
  expect(findTracing()).toBeNull();
  const pipeline = makePipeline();
  const mill = await makeDurableWorld().open([pipeline]);
  await mill.enqueue(pipeline, [{ input: null }]);
  const [run] = await mill.store.listRuns({ limit: 1 });
  expect(run?.settings).toEqual({});
});
