// A real process whose runs call one outside thing, and says on stdout what happens, one line of JSON each. Calls note
// in a log that all processes share when they begin and end, by the clock of the store; each lasts as long as it is
// told, or until its file exists.

import { appendFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import {
  input,
  isMillraceError,
  map,
  openMillrace,
  pipeline,
  resource,
  stage,
  ThrottledError,
  type Millrace,
  type Pipeline,
  type ResourceOptions,
  type RunHandle,
} from "../../../src/exports/index.ts";

/** What one run calls. */
export interface Calls {
  /** Names of the calls, each an item. */
  readonly names: readonly string[];
  /** How long a call lasts, ms; null: until the file `go-NAME` exists. */
  readonly lastsMs: number | null;
}

/** What a process is told: one per line of its stdin. */
export type ResourceOrder =
  /** Starts a run in the foreground. */
  | { readonly kind: "call"; readonly by: "left" | "right"; readonly calls: Calls }
  | { readonly kind: "work"; readonly concurrency: number; readonly drain: boolean };

/** What it says. */
export type ResourceReport =
  | { readonly kind: "open"; readonly pid: number }
  | { readonly kind: "live"; readonly run: string }
  | { readonly kind: "ended"; readonly run: string; readonly state: string }
  | { readonly kind: "refused"; readonly code: string };

/** What the processes of a test share. */
export interface ResourceShared {
  readonly store: string;
  readonly folder: string;
  readonly options: ResourceOptions<never>;
}

/** The log of a folder. */
export function logOf(folder: string): string {
  return join(folder, "log");
}

/** The pipelines of every process: two that call the same thing from other stages, and one that calls nothing. */
export interface ResourcePipelines {
  readonly left: Pipeline<Calls, unknown>;
  readonly right: Pipeline<Calls, unknown>;
  readonly other: Pipeline<undefined, unknown>;
}

/** Makes the pipelines; `nowMs` is the clock of the store. */
export function makeCallers(shared: ResourceShared, nowMs: () => number): ResourcePipelines {
  const api = resource("api", shared.options);
  const note = (what: string, name: string): void =>
    appendFileSync(logOf(shared.folder), `${what} ${name} ${process.pid} ${nowMs()}\n`);
  const make = (name: "left" | "right") => {
    const wanted = input<Calls>();
    const list = stage(`${name}-list`, { needs: { wanted } }, (needs) =>
      needs.wanted.names.map((call) => ({ call, lastsMs: needs.wanted.lastsMs })),
    );
    const calls = map(
      `${name}-calls`,
      { over: list, key: ({ call }) => call, uses: [api], concurrency: 64, retry: { attempts: 1 } },
      async ({ call, lastsMs }, _needs, ctx) => {
        note("begin", call);
        if (lastsMs !== null) await ctx.sleep(lastsMs);
        else while (!existsSync(join(shared.folder, `go-${call}`))) await ctx.sleep(5);
        if (call.startsWith("fails")) throw Object.assign(new Error("down"), { status: 503 });
        if (call.startsWith("throttled")) throw new ThrottledError("slow", { retryAfter: "10m" });
        note("end", call);
        return call;
      },
    );
    return pipeline(name, { input: wanted, attempts: 100, output: { calls } });
  };
  const other = pipeline("other", {
    stages: [stage("other", {}, (_needs, ctx) => note("other", ctx.runId))],
  });
  return { left: make("left"), right: make("right"), other };
}

type Say = (report: ResourceReport) => void;

function follow(started: Promise<RunHandle>, say: Say): void {
  started
    .then(async (run) => {
      say({ kind: "live", run: run.id });
      const { state } = await run.result();
      say({ kind: "ended", run: run.id, state });
    })
    .catch((error: unknown) =>
      say({ kind: "refused", code: isMillraceError(error) ? error.code : String(error) }),
    );
}

async function obey(mill: Millrace, pipelines: ResourcePipelines, say: Say): Promise<void> {
  for await (const line of createInterface(process.stdin)) {
    const order = JSON.parse(line) as ResourceOrder;
    if (order.kind === "call")
      follow(mill.start(pipelines[order.by], order.calls) as Promise<RunHandle>, say);
    else void mill.work({ concurrency: order.concurrency, drain: order.drain });
  }
}

async function main(shared: ResourceShared): Promise<void> {
  const say: Say = (report) => void process.stdout.write(`${JSON.stringify(report)}\n`);
  const clock = { nowMs: (): number => 0 };
  const pipelines = makeCallers(shared, () => clock.nowMs());
  const { left, right, other } = pipelines;
  const mill = await openMillrace({ store: shared.store, pipelines: [left, right, other] });
  clock.nowMs = () => mill.store.nowMs();
  say({ kind: "open", pid: process.pid });
  await obey(mill, pipelines, say);
  await mill.close();
}

if (import.meta.main) await main(JSON.parse(process.argv[2] ?? "") as ResourceShared);
