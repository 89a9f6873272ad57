// A real process that works on durable runs and says on stdout what happens, one line of JSON each. Its stage
// waits until a file exists; it notes its begin and its end in a file of effects.

import { appendFileSync, existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { isMillraceError, openMillrace, pipeline, stage } from "../../src/exports/index.ts";
import type { Pipeline, RunHandle } from "../../src/exports/index.ts";

/** What a process is told: one per line of its stdin. */
export type Order =
  | { readonly kind: "start" }
  | { readonly kind: "resume"; readonly run: string }
  | { readonly kind: "close" };

/** What it says. */
export type Report =
  | { readonly kind: "open"; readonly pid: number }
  | { readonly kind: "live"; readonly run: string }
  | { readonly kind: "begun"; readonly run: string }
  | { readonly kind: "event"; readonly type: string; readonly runSeq: number }
  | { readonly kind: "ended"; readonly run: string; readonly state: string }
  | { readonly kind: "refused"; readonly code: string };

/** Files that the stage and the tests share, in one folder. */
export interface Shared {
  readonly store: string;
  /** The stage ends once this exists. */
  readonly gate: string;
  readonly effects: string;
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

async function main(shared: Shared): Promise<void> {
  const say = (report: Report): void => void process.stdout.write(`${JSON.stringify(report)}\n`);
  const waiting = makeWaiting(shared, (run) => say({ kind: "begun", run }));
  const mill = await openMillrace({ store: shared.store, pipelines: [waiting], graceMs: 50 });
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
  say({ kind: "open", pid: process.pid });
  for await (const line of createInterface(process.stdin)) {
    const order = JSON.parse(line) as Order;
    if (order.kind === "start")
      follow(mill.start(waiting, undefined, { onEvent }) as Promise<RunHandle>);
    else if (order.kind === "resume") follow(mill.resume(order.run, { here: true, onEvent }));
    else break;
  }
  await mill.close();
}

if (import.meta.main) await main(JSON.parse(process.argv[2] ?? "") as Shared);
