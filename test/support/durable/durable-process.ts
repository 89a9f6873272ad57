// A real process that works on durable runs and says on stdout what happens, one line of JSON each. Its stages
// note in a file of effects what they do; one pipeline waits until a file exists, the other counts.

import { appendFileSync, existsSync } from "node:fs";
import { createInterface } from "node:readline";
import {
  input,
  isMillraceError,
  openMillrace,
  pipeline,
  stage,
} from "../../../src/exports/index.ts";
import type { Pipeline, RunHandle } from "../../../src/exports/index.ts";
import type { LeaseTerms } from "../../../src/model/lease.ts";

/** What a process is told: one per line of its stdin. */
export type Order =
  | { readonly kind: "start" }
  | { readonly kind: "resume"; readonly run: string }
  /** Queues `count` runs: of the counting pipeline with the numbers from 0 on, or of the waiting one. */
  | { readonly kind: "enqueue"; readonly count: number; readonly of: "counting" | "waiting" }
  /** Works the queues until they are drained, or until the order to stop. */
  | { readonly kind: "work"; readonly concurrency: number; readonly drain: boolean }
  | { readonly kind: "stop" }
  | { readonly kind: "close" };

/** What it says. */
export type Report =
  | { readonly kind: "open"; readonly pid: number }
  | { readonly kind: "live"; readonly run: string }
  | { readonly kind: "begun"; readonly run: string }
  | { readonly kind: "event"; readonly type: string; readonly runSeq: number }
  | { readonly kind: "ended"; readonly run: string; readonly state: string }
  | { readonly kind: "enqueued"; readonly runs: readonly string[] }
  | {
      readonly kind: "worked";
      readonly runs: number;
      readonly counts: Readonly<Record<string, number>>;
    }
  | { readonly kind: "refused"; readonly code: string };

/** Files that the stage and the tests share, in one folder. */
export interface Shared {
  readonly store: string;
  /** The stage ends once this exists. */
  readonly gate: string;
  readonly effects: string;
  /** Default: that of every mill. */
  readonly lease?: Partial<LeaseTerms>;
}

export function makeWaiting(
  shared: Shared,
  onBegin: (run: string) => void,
): Pipeline<undefined, { readonly wait: string; readonly after: string }> {
  const wait = stage("wait", {}, async (_needs, ctx) => {
    const note = (what: string): void =>
      appendFileSync(shared.effects, `${what} ${ctx.runId} ${process.pid}\n`);
    note("begin");
    onBegin(ctx.runId);
    while (!existsSync(shared.gate)) await ctx.sleep(5);
    note("end");
    return "waited";
  });
  const after = stage("after", { needs: { wait } }, (_needs, ctx) => {
    appendFileSync(shared.effects, `after ${ctx.runId} ${process.pid}\n`);
    return "after";
  });
  return pipeline("waiting", { output: { wait, after } });
}

/** Three stages that pass a number on, each once per run if nothing goes wrong. */
export function makeCounting(shared: Shared): Pipeline<number, { readonly three: number }> {
  const given = input<number>();
  const note = (name: string, runId: string): void =>
    appendFileSync(shared.effects, `${name} ${runId} ${process.pid}\n`);
  const one = stage("one", { needs: { given } }, (needs, ctx) => {
    note("one", ctx.runId);
    return needs.given + 1;
  });
  const two = stage("two", { needs: { one } }, async (needs, ctx) => {
    note("two", ctx.runId);
    await ctx.sleep(2);
    return needs.one + 1;
  });
  const three = stage("three", { needs: { two } }, (needs, ctx) => {
    note("three", ctx.runId);
    return needs.two + 1;
  });
  return pipeline("counting", { attempts: 100, input: given, output: { three } });
}

async function main(shared: Shared): Promise<void> {
  const say = (report: Report): void => void process.stdout.write(`${JSON.stringify(report)}\n`);
  const waiting = makeWaiting(shared, (run) => say({ kind: "begun", run }));
  const counting = makeCounting(shared);
  const mill = await openMillrace({
    store: shared.store,
    pipelines: [waiting, counting],
    graceMs: 50,
    ...(shared.lease === undefined ? {} : { lease: shared.lease }),
  });
  const onEvent = ({ type, runSeq }: { type: string; runSeq: number }): void => {
    if (runSeq > 0) say({ kind: "event", type, runSeq });
  };
  const refused = (error: unknown): void =>
    say({ kind: "refused", code: isMillraceError(error) ? error.code : String(error) });
  const follow = (claimed: Promise<RunHandle>): void => {
    claimed
      .then(async (run) => {
        say({ kind: "live", run: run.id });
        const { state } = await run.result();
        say({ kind: "ended", run: run.id, state });
      })
      .catch(refused);
  };
  const control = new AbortController();
  const { signal } = control;
  const work = ({ concurrency, drain }: Extract<Order, { kind: "work" }>): void => {
    const onRun = (run: RunHandle): void => {
      run.result().then(({ state }) => say({ kind: "ended", run: run.id, state }), refused);
    };
    mill
      .work({ concurrency, drain, signal, stopAfterMs: 1_000, onRun })
      .then(({ runs, counts }) => say({ kind: "worked", runs, counts }))
      .catch(refused);
  };
  const enqueue = async ({ count, of }: Extract<Order, { kind: "enqueue" }>): Promise<void> => {
    const entries = Array.from({ length: count }, (_, index) => ({ input: index }));
    const { runs } =
      of === "counting"
        ? await mill.enqueue(counting, entries)
        : await mill.enqueue(
            waiting,
            entries.map(() => ({ input: undefined })),
          );
    say({ kind: "enqueued", runs: runs.map(({ run }) => run.id) });
  };
  say({ kind: "open", pid: process.pid });
  for await (const line of createInterface(process.stdin)) {
    const order = JSON.parse(line) as Order;
    if (order.kind === "start")
      follow(mill.start(waiting, undefined, { onEvent }) as Promise<RunHandle>);
    else if (order.kind === "resume") follow(mill.resume(order.run, { here: true, onEvent }));
    else if (order.kind === "work") work(order);
    else if (order.kind === "enqueue") await enqueue(order);
    else if (order.kind === "stop") control.abort();
    else break;
  }
  await mill.close();
}

if (import.meta.main) await main(JSON.parse(process.argv[2] ?? "") as Shared);
