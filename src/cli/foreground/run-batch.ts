// `millrace run --items FILE`: one run per line, enqueued once per key, worked on here under one view. Afterwards
// each line's result is printed in the order of the lines. The same command again goes on with what is left.

import { resolve } from "node:path";
import { isRunOver, type RunRecord } from "../../model/run.ts";
import type { Millrace } from "../../service/millrace.ts";
import { runName } from "../../service/queries/find-run.ts";
import type { EnqueuedRun } from "../../service/commands/enqueue-runs.ts";
import { sha256Hex } from "../../std/json.ts";
import { escapeControl } from "../../std/text.ts";
import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-code.ts";
import { openBytes } from "../input/open-bytes.ts";
import type { Target } from "../load/load-pipeline.ts";
import { toDocumentText } from "../print.ts";
import type { LogsShown } from "../render/forms/progress-form.ts";
import { followQueue } from "./follow-queue.ts";
import type { KeepDocument } from "./with-document.ts";

/** A batch to be run. */
export interface BatchOptions {
  /** As it was given. */
  readonly file: string;
  readonly target: Target;
  /** Runs at once. */
  readonly slots: number;
  readonly logs: LogsShown;
  readonly isStrict: boolean;
  readonly tags: Readonly<Record<string, string>> | undefined;
  /** Starts although health is degraded or unstable. */
  readonly override: boolean;
  readonly keep: KeepDocument;
}

/** What became of a line. */
export interface LineResult {
  readonly key: string | null;
  /** Short name of its run. */
  readonly run: string;
  readonly state: RunRecord["state"];
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly class: string; readonly message: string };
}

/** Runs a batch. FILE_UNREADABLE before anything is opened. Resolves to the exit code. */
export async function runBatch(context: CliContext, options: BatchOptions): Promise<ExitCode> {
  const { file, target, tags, override } = options;
  const bytes = await openBytes(context, file);
  const numbers: number[] = [];
  const results: LineResult[] = [];
  const note = (runs: readonly EnqueuedRun[]): void => {
    for (const { run } of runs) numbers.push(run.number);
  };
  return followQueue(context, {
    ...options,
    pipelines: [target.pipeline],
    settings: target.settings,
    drain: true,
    awaits: makeAwaits(numbers),
    maxRuns: undefined,
    words: ["run", ...target.words, "--items", file],
    prepare: async (mill, { makeRoom, warn }) => {
      const { bad } = await mill.import(target.pipeline, bytes, {
        name: file,
        source: target.source,
        batch: batchOf(context, options),
        onRuns: note,
        // A batch that its pipeline's queue has no room for is queued and worked in turns.
        onFull: makeRoom,
        override,
        ...(tags === undefined ? {} : { tags }),
      });
      for (const { line, message } of bad) warn(`line ${line}: ${escapeControl(message)}`);
    },
    conclude: async (mill) => {
      let failed = 0;
      for (const number of numbers) {
        const result = await readResult(mill, number);
        if (result.state === "failed" || result.state === "cancelled") failed += 1;
        if (context.flags.json) results.push(result);
        else context.stdout.write(`${toDocumentText(result, 0)}\n`);
      }
      return failed;
    },
    keep: (document) => options.keep({ ...document, schema: "millrace.run-items/1", results }),
  });
}

/** True while a run of the batch has not ended and goes on by itself. Those before it are not asked about again. */
function makeAwaits(numbers: readonly number[]): (mill: Millrace) => Promise<boolean> {
  let ended = 0;
  return async ({ store }) => {
    for (; ended < numbers.length; ended += 1) {
      const run = await store.findRunByNumber(numbers[ended] ?? 0);
      if (run?.state === "waiting" && run.wakeAtMs !== null) return true;
      if (run?.state === "queued") return true;
    }
    return false;
  };
}

/** The same for the same file and pipeline, so that what is enqueued again belongs together. */
function batchOf({ cwd }: CliContext, { file, target }: BatchOptions): string {
  return sha256Hex(`${target.pipeline.name}\0${resolve(cwd, file)}`).slice(0, 32);
}

async function readResult(mill: Millrace, number: number): Promise<LineResult> {
  const run = await mill.store.findRunByNumber(number);
  if (run === undefined) return { key: null, run: "", state: "cancelled" };
  const { key, state, failure } = run;
  const line = { key, run: runName(run), state };
  if (state === "succeeded") {
    const { outputs } = await mill.result(run.id);
    return { ...line, outputs };
  }
  if (!isRunOver(state) || failure === null) return line;
  return { ...line, error: { class: failure.class, message: failure.message } };
}
