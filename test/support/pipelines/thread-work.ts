// Pipelines whose stages run in worker threads. What they give says where they ran; what they do to their thread they
// are told by the input.

import { existsSync, writeFileSync } from "node:fs";
import { isMainThread, threadId } from "node:worker_threads";
import {
  definePipeline,
  input,
  map,
  pipeline,
  stage,
  TransientError,
  type Context,
} from "../../../src/exports/index.ts";

const here = { module: import.meta.url };

/** CPU of this thread, ms. */
function usedMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** Computes until the thread has used so much, and answers what it used. */
function burn(cpuMs: number): number {
  const before = usedMs();
  let sum = 0;
  while (usedMs() - before < cpuMs) for (let index = 0; index < 10_000; index += 1) sum += index;
  return sum > 0 ? usedMs() - before : 0;
}

const order = input<{ readonly rows: readonly number[]; readonly by?: Date }>();

const squared = map(
  "squared",
  { over: stage("rows", { needs: { order } }, ({ order }) => order.rows), runIn: "thread" },
  (row, _needs, ctx) => ({ square: row ** 2, key: ctx.item?.key, isMainThread, threadId }),
);
const dated = stage(
  "dated",
  { needs: { order, squared }, runIn: "thread" },
  ({ order, squared }) => ({
    by: order.by,
    set: new Set(squared.map(({ square }) => square)),
    big: 10n,
    bytes: new Uint8Array([1, 2]),
    isMainThread,
  }),
);

/** A map and a stage in threads, and values of every kind. */
export const typed = pipeline("typed", { ...here, input: order, output: { squared, dated } });

/** The same in the untyped form. */
export const untyped = definePipeline({
  ...here,
  name: "untyped",
  stages: [
    { id: "doubled", over: "input", runIn: "thread", run: (row: number) => row * 2 },
    {
      id: "summed",
      needs: ["doubled"],
      runIn: "thread",
      run: (rows: readonly number[]) => ({ sum: rows.reduce((a, b) => a + b, 0), isMainThread }),
    },
  ],
});

const hows = input<{ readonly how: string; readonly at?: string }>();

/** An error of the author's own, with everything an error may bear. */
class OrderRefused extends RangeError {
  readonly code = "E_ORDER";
  readonly status = 422;
  readonly rows: readonly number[] = [3, 4];
  constructor() {
    super("the order is refused", { cause: new TypeError("a row is no number") });
    this.name = "OrderRefused";
  }
}

function behave(how: string, at: string, ctx: Context): unknown {
  if (at !== "") writeFileSync(at, `${ctx.attempt}\n`, { flag: "a" });
  switch (how) {
    case "range":
      throw new RangeError("too far");
    case "refuse":
      throw new OrderRefused();
    case "transient":
      throw new TransientError("not now");
    case "loop":
      for (;;) burn(10);
    case "exit":
      process.exit(7);
    // falls never through
    case "memory": {
      // A chain, not a list: a list that doubles takes one big piece, and may take the process along.
      let kept: unknown = null;
      for (;;) kept = { kept, more: Array.from({ length: 100 }, (_, index) => ({ index })) };
    }
    case "uncaught":
      queueMicrotask(() => {
        throw new TypeError("nobody waits for this");
      });
      return new Promise(() => {});
    case "function":
      return { nested: { call: () => 1 } };
    case "instance":
      return new (class Account {
        readonly owner: string = "me";
      })();
    default:
      return how;
  }
}

const retry = { attempts: 1, initialDelay: 1 } as const;
const behaved = stage("behaved", { needs: { hows }, runIn: "thread", retry }, ({ hows }, ctx) =>
  behave(hows.how, hows.at ?? "", ctx),
);

/** One stage that does to its thread what it is told. */
export const behaving = pipeline("behaving", { ...here, input: hows, output: { behaved } });

const timed = stage("timed", { needs: { hows }, runIn: "thread", timeout: 200 }, ({ hows }, ctx) =>
  behave(hows.how, hows.at ?? "", ctx),
);
const after = stage(
  "after",
  { needs: { timed: timed }, trigger: "all_done", runIn: "thread" },
  () => threadId,
);

/** A stage that is ended after 200 ms, and one that follows it. */
export const overdue = pipeline("overdue", { ...here, input: hows, output: { timed, after } });

const kinds = input<readonly string[]>();
const loops = map(
  "loops",
  {
    over: kinds,
    key: (how) => how,
    concurrency: 8,
    runIn: "thread",
    onItemFailure: "continue",
    retry,
    timeout: 300,
  },
  (how, _needs, ctx) => behave(how.replace(/\d$/, ""), "", ctx),
);

/** Items of all kinds, of which those that do not end have 300 ms. The number behind a kind only tells them apart. */
export const mixed = pipeline("mixed", { ...here, input: kinds, output: { loops } });

const noted = stage("noted", {}, (_needs, ctx) => {
  ctx.state.set("town", "Ulm");
  ctx.state.set("call", { made: new Date(5) });
  return 1;
});
const spoken = stage("spoken", { needs: { noted }, runIn: "thread" }, async (_needs, ctx) => {
  ctx.log.info("begun", { row: 3 });
  ctx.progress(1, 2, "half");
  ctx.emit("part", { bytes: 4 });
  ctx.metric.set("rows", 3);
  ctx.metric.increment("rows", 4);
  const first = await ctx.memo("sum", () => 41 + 1);
  const again = await ctx.memo("sum", () => 0);
  const stored = await ctx.artifact("note", "hello");
  const { town, call } = { town: ctx.state.get("town"), call: ctx.state.get("call") };
  ctx.state.set("said", town);
  await ctx.sleep(1);
  const { runId, stage: name, attempt, idempotencyKey, dir } = ctx;
  const isNow = Math.abs(ctx.now() - Date.now()) < 1_000;
  return { first, again, stored, town, call, runId, name, attempt, idempotencyKey, dir, isNow };
});
const heard = stage("heard", { needs: { spoken } }, ({ spoken }, ctx) => ({
  ...spoken,
  said: ctx.state.get("said"),
}));

/** Every part of the context, used in a thread. */
export const speaking = pipeline("speaking", { ...here, output: { heard } });

const polite = stage("polite", { runIn: "thread" }, async (_needs, ctx) => {
  ctx.progress(1);
  await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
  ctx.log.info(`told: ${String(ctx.signal.reason)}`);
  throw ctx.signal.reason;
});

/** Waits for its signal, and says so. */
export const waiting = pipeline("waiting", { ...here, output: { polite } });

const loads = input<{ readonly ms: number; readonly bytes?: number }>();
const burnt = map(
  "burnt",
  { over: stage("two", {}, () => [1, 2]), needs: { loads }, concurrency: 2, runIn: "thread" },
  (_item, { loads }) => {
    const held = new Uint8Array(loads.bytes ?? 0).fill(1);
    const beganAtMs = Date.now();
    const usedMs = burn(loads.ms);
    return { beganAtMs, endedAtMs: Date.now(), usedMs, held: held.length };
  },
);

/** Two items that compute. */
export const burning = pipeline("burning", { ...here, input: loads, output: { burnt } });

const meets = input<{ readonly folder: string }>();
const met = map(
  "met",
  { over: ["left", "right"], needs: { meets }, concurrency: 2, runIn: "thread" },
  (side, { meets: { folder } }) => {
    writeFileSync(`${folder}/${side}`, "");
    const other = side === "left" ? "right" : "left";
    while (!existsSync(`${folder}/${other}`) || !existsSync(`${folder}/go`)) burn(1);
    return side;
  },
);

/** Two items that are busy until both are and a file is there. */
export const meeting = pipeline("meeting", { ...here, input: meets, output: { met } });
