// `--log agent`: for language models and log collectors. A bracketed word, then facts; nothing twice, nothing
// that only moves. Equal failures come once, with their number, when their stage has ended; of a command that
// failed its last lines; at the end the exact next command.

import {
  addressOf,
  compactDuration,
  leftFacts,
  quoted,
  waitWord,
  wordOrQuoted,
} from "../phrases.ts";
import { oneLine } from "../../../std/text.ts";
import type { Closing } from "../closing/closing.ts";
import type { LogLine } from "../progress/log-tails.ts";
import type { Applied } from "../progress/progress.ts";
import {
  countEnded,
  countWaiting,
  mainWait,
  remainingMs,
  type StageProgress,
} from "../progress/stage-progress.ts";
import { showRemaining } from "../../../std/shown/figures.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { FormOptions, ProgressForm, Remark, Stopping } from "./progress-form.ts";

const BEAT_MS = 120_000;
const BEAT_PERCENT = 25;
const BEAT_APART_MS = 10_000;
/** Waits shorter than this are over before a reader could act on them, ms. */
const WAIT_TOLD_MS_MIN = 5_000;

/** Writes bracketed lines. */
export class AgentForm implements ProgressForm {
  readonly #options: FormOptions;
  readonly #heartbeat: Heartbeat;
  readonly #run: string;
  /** Kinds of failure that were written already. */
  readonly #told = new Set<string>();
  /** What items of a stage were told to wait for. */
  readonly #waits = new Set<string>();
  readonly #tails = new Map<string, readonly LogLine[]>();

  constructor(options: FormOptions) {
    this.#options = options;
    this.#run = options.progress.plan.run;
    this.#heartbeat = new Heartbeat({
      clock: options.clock,
      everyMs: BEAT_MS,
      everyPercent: BEAT_PERCENT,
      apartMsMin: BEAT_APART_MS,
      onBeat: (stage) => this.#beat(stage),
    });
  }

  begin(): void {
    const { plan } = this.#options.progress;
    this.#put("RUN", `${plan.run} ${plan.pipeline} stages=${plan.stages.length}`);
    this.#heartbeat.start();
  }

  tell({ event, stage, newFailure, tail, logLine }: Applied): void {
    if (stage === undefined) return;
    if (newFailure !== undefined && tail.length > 0) {
      this.#tails.set(`${newFailure.stage}\0${newFailure.fingerprint}`, tail);
    }
    if (logLine !== undefined && this.#options.logs === "all") this.#putLog(logLine);
    if (event.item !== undefined) {
      this.#heartbeat.look(stage);
      if (event.type === "item.waiting") this.#tellItemsWait(stage, event.atMs);
    } else if (event.type === "stage.waiting") this.#tellWait(stage, event.atMs);
    else if (stage.endedAtMs !== undefined) this.#tellEnd(stage);
  }

  foresee(): void {
    this.#tellLeft();
  }

  remark({ text, level }: Remark): void {
    this.#put(level === "warning" ? "WARN" : "NOTE", text);
  }

  stopping({ cause, abortAtMs, resume }: Stopping): void {
    const { clock, progress } = this.#options;
    const leftMs = Math.max(0, abortAtMs - clock.wallMs());
    this.#put(
      "STOP",
      `${this.#run} ${quoted(cause)} running=${progress.running} abort=${compactDuration(leftMs)}`,
    );
    if (resume !== undefined) this.#put("NEXT", resume);
  }

  finish(closing: Closing): void {
    this.#heartbeat.stop();
    const { state, reason, items, stages, cache, warnings, durationMs } = closing;
    for (const stage of this.#options.progress.stages.values()) this.#tellFailures(stage);
    const counts = items.total > 0 ? items : stages;
    const facts = [
      `${this.#run} ${state}`,
      ...(reason === undefined ? [] : [wordOrQuoted(oneLine(reason))]),
      `succeeded=${counts.succeeded}`,
      `failed=${counts.failed}`,
      ...(cache === undefined
        ? []
        : [
            `unchanged=${cache.items + cache.stages}`,
            `changed=${cache.changed}`,
            `added=${cache.added}`,
          ]),
      ...(warnings > 0 ? [`warnings=${warnings}`] : []),
      `durationMs=${Math.round(durationMs)}`,
    ];
    this.#put("END", facts.join(" "));
    for (const { name, text } of closing.outputs) this.#put("OUTPUT", `${name} ${text}`);
    for (const path of closing.results) this.#put("RESULT", oneLine(path));
    for (const { command } of closing.next) this.#put("NEXT", command);
  }

  abandon(): void {
    this.#heartbeat.stop();
  }

  #tellEnd(stage: StageProgress): void {
    this.#tellFailures(stage);
    // What failed has been told; what was never reached follows from it.
    if (stage.state !== "succeeded" && stage.state !== "skipped") return;
    const facts = [
      `${this.#run}/${stage.name} ${stage.state}`,
      ...(stage.state === "succeeded" ? [compactDuration(stage.durationMs ?? 0)] : []),
      ...(stage.items === undefined ? [] : [`items=${stage.items.total}`]),
      ...(stage.via === "run" || stage.via === undefined ? [] : [`via=${stage.via}`]),
      ...(stage.state === "skipped" && stage.reason !== undefined
        ? [wordOrQuoted(stage.reason)]
        : []),
    ];
    this.#put("STAGE", facts.join(" "));
  }

  /** The failures of a stage that were not told yet. */
  #tellFailures(stage: StageProgress): void {
    for (const group of this.#options.progress.failures.list()) {
      const key = `${group.stage}\0${group.fingerprint}`;
      if (group.stage !== stage.name || this.#told.has(key)) continue;
      this.#told.add(key);
      const { attempts, class: errorClass, count, firstItem, message } = group;
      const times = count > 1 ? ` x${count}` : "";
      const tries = `${attempts}/${Math.max(attempts, stage.attemptsMax)}`;
      this.#put(
        "FAIL",
        `${this.#run}/${addressOf(stage.name, firstItem)} attempts=${tries} class=${errorClass}${times} ${quoted(message)}`,
      );
      if (this.#options.logs !== "none") {
        for (const line of this.#tails.get(key) ?? []) this.#putLog(line);
      }
      this.#tails.delete(key);
    }
  }

  #tellWait(stage: StageProgress, nowMs: number): void {
    const wait = mainWait(stage)?.wait;
    if (wait === undefined || (wait.dueAtMs ?? Infinity) - nowMs < WAIT_TOLD_MS_MIN) return;
    const facts = [
      `${this.#run}/${stage.name} ${waitWord(wait)}`,
      ...(stage.items === undefined ? [] : [`waiting=${countWaiting(stage)}`]),
      ...(wait.ahead === undefined ? [] : [`ahead=${wait.ahead}`]),
      ...(wait.dueAtMs === undefined ? [] : [`until=${new Date(wait.dueAtMs).toISOString()}`]),
      ...(wait.message === undefined ? [] : [quoted(wait.message)]),
    ];
    this.#put("WAIT", facts.join(" "));
  }

  /** Once for each resource for which items of a stage wait; retries of items are too many to be told. */
  #tellItemsWait(stage: StageProgress, nowMs: number): void {
    const wait = mainWait(stage)?.wait;
    if (wait === undefined || wait.name === undefined) return;
    const known = `${stage.name}\0${wait.kind}\0${wait.name}`;
    if (this.#waits.has(known)) return;
    this.#waits.add(known);
    this.#tellWait(stage, nowMs);
  }

  #tellLeft(): void {
    const { progress, clock } = this.#options;
    const left = progress.forecast?.run(clock.wallMs());
    if (left !== undefined) this.#put("LEFT", `${this.#run} ${leftFacts(left)}`);
  }

  #beat(stage: StageProgress | undefined): void {
    const nowMs = this.#options.clock.wallMs();
    if (stage === undefined) this.#tellLeft();
    const stages = stage === undefined ? [...this.#options.progress.stages.values()] : [stage];
    for (const each of stages) {
      const { items } = each;
      if (items === undefined || each.state !== "running") continue;
      const leftMs = remainingMs(each, nowMs);
      const eta = leftMs === undefined ? "" : ` eta=${showRemaining(leftMs).replaceAll(" ", "")}`;
      const failed = items.failed > 0 ? ` failed=${items.failed}` : "";
      const done = `${countEnded(items)}/${items.total}`;
      const wait = mainWait(each)?.wait;
      const waits = wait === undefined ? "" : ` waiting=${countWaiting(each)}(${waitWord(wait)})`;
      this.#put("BUSY", `${this.#run}/${each.name} ${done}${failed}${waits}${eta}`);
    }
  }

  #putLog({ stage, item, text }: LogLine): void {
    this.#options.write(`  ${addressOf(stage, item)} | ${oneLine(text)}\n`);
  }

  #put(word: string, text: string): void {
    this.#options.write(`[${word}] ${text}\n`);
  }
}
