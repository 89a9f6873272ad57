// A real process that works a queue until it is drained, over pipelines whose stages take their process along. What
// they do stands in a file of effects that each run is told of: `what run pid place`, where place says whether it was
// the worker itself.

import { appendFileSync } from "node:fs";
import { flushCompileCache } from "node:module";
import {
  input,
  map,
  openMillrace,
  pipeline,
  stage,
  type Context,
} from "../../../src/exports/index.ts";
import type { LeaseTerms } from "../../../src/model/lease.ts";

/** What a run is told. */
export interface BombInput {
  readonly effects: string;
  /** True: its process dies. */
  readonly isBad: boolean;
  /** Before it dies, or before it is done, ms. */
  readonly delayMs: number;
}

/** What a process is started with. */
export interface PoisonOrder {
  readonly store: string;
  readonly lease?: Partial<LeaseTerms>;
  readonly concurrency?: number;
}

const given = input<BombInput>();

// A worker is started without a channel.
const isWorker = process.send === undefined;

function note(effects: string, what: string, ctx: Context): void {
  const place = isWorker ? "worker" : "apart";
  appendFileSync(effects, `${what} ${ctx.runId} ${process.pid} ${place}\n`);
}

const boom = stage("boom", { needs: { given } }, async ({ given: order }, ctx) => {
  note(order.effects, "boom", ctx);
  if (order.delayMs > 0) await ctx.sleep(order.delayMs);
  if (order.isBad) process.abort();
  ctx.state.set("seen", 1);
  ctx.metric.increment("booms");
  const made = await ctx.memo("made", () => ({ at: new Date(0) }));
  const text = await ctx.artifact("note", "hello");
  ctx.log.info("not today");
  return { made, bytes: text.bytes, key: ctx.idempotencyKey };
});
const calm = stage("calm", { needs: { given } }, ({ given: order }, ctx) => {
  note(order.effects, "calm", ctx);
  return "calm";
});
const after = stage("after", { needs: { boom, given } }, ({ given: order, boom: value }, ctx) => {
  note(order.effects, "after", ctx);
  return { ...value, seen: ctx.state.get("seen", 0) };
});
const last = stage("last", { needs: { calm }, trigger: "all_done" }, () => "last");

const shape = { input: given, output: { after, last }, failFast: false } as const;

/** Its stages are called in processes of their own. */
export const bomb = pipeline("bomb", { ...shape, module: import.meta.url });
/** Nobody knows where its stages are. */
export const bombHere = pipeline("bomb-here", shape);

const numbers = Array.from({ length: 20 }, (_, index) => index);
const each = map(
  "each",
  {
    needs: { given },
    over: numbers,
    key: (item) => `n${item}`,
    concurrency: 4,
    onItemFailure: "continue",
  },
  async (item: number, { given: order }, ctx) => {
    note(order.effects, `item-${item}`, ctx);
    if (item === 7 && order.isBad) {
      await ctx.sleep(order.delayMs);
      process.abort();
    }
    return item * 2;
  },
);
/** One of its twenty items kills its process. */
export const many = pipeline("many", {
  input: given,
  output: { each },
  module: import.meta.url,
});

const spin = stage("spin", { needs: { given } }, ({ given: order }, ctx) => {
  note(order.effects, "spin", ctx);
  if (isWorker) process.abort();
  for (;;);
});
/** Dies in a worker, and never comes back apart from it. */
export const hanging = pipeline("hanging", {
  input: given,
  stages: [spin],
  module: import.meta.url,
});

const late = stage("late", { needs: { given }, timeout: "400ms" }, ({ given: order }, ctx) => {
  note(order.effects, "late", ctx);
  if (isWorker) process.abort();
  for (;;);
});
/** The same, with a timeout. */
export const tardy = pipeline("tardy", {
  input: given,
  stages: [late],
  module: import.meta.url,
});

const dying = map(
  "dying",
  {
    needs: { given },
    over: numbers,
    onItemFailure: "continue",
    retry: { attempts: 1, initialDelay: 1, maxDelay: 1 },
  },
  (item: number, { given: order }, ctx) => {
    note(order.effects, `item-${item}`, ctx);
    process.abort();
  },
);
/** Every one of its items kills its process. */
export const cluster = pipeline("cluster", {
  input: given,
  stages: [dying],
  module: import.meta.url,
});

/** All of them. */
export const POISONOUS = [bomb, bombHere, many, hanging, tardy, cluster] as const;

async function main(order: PoisonOrder): Promise<void> {
  // Who is killed keeps no compiled code for the next one; all is imported by now.
  flushCompileCache();
  const mill = await openMillrace({
    store: order.store,
    pipelines: POISONOUS,
    graceMs: 500,
    ...(order.lease === undefined ? {} : { lease: order.lease }),
  });
  const control = new AbortController();
  process.on("SIGTERM", () => control.abort());
  const { signal } = control;
  const { concurrency = 4 } = order;
  const summary = await mill.work({ drain: true, concurrency, signal, stopAfterMs: 200 });
  await mill.close();
  process.stdout.write(`${JSON.stringify(summary)}\n`);
}

if (import.meta.main) await main(JSON.parse(process.argv[2] ?? "") as PoisonOrder);
