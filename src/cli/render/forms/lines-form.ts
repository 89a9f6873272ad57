// One line for every transition: time since the start, subject, state as a word, then facts as key=value, so
// that `grep failed` and a log collector both work. Items appear only when they fail, equal failures once. A
// heartbeat with counts tells that work goes on.

import { STAGE_STATES } from "../../../model/outcome.ts";
import { renderClosing } from "../closing/closing-lines.ts";
import { showRate, showRemaining, showStopwatch } from "../../../std/shown/figures.ts";
import { markOf } from "../marks.ts";
import {
  addressOf,
  compactDuration,
  leftFacts,
  quoted,
  waitWord,
  wordOrQuoted,
} from "../phrases.ts";
import { oneLine } from "../../../std/text.ts";
import type { LogLine } from "../progress/log-tails.ts";
import { subjectOf, type Applied } from "../progress/progress.ts";
import {
  countEnded,
  countWaiting,
  mainWait,
  remainingMs,
  type ItemCounts,
  type StageProgress,
} from "../progress/stage-progress.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { FormOptions, ProgressForm, Remark, Stopping } from "./progress-form.ts";
import type { Closing } from "../closing/closing.ts";

/** Kinds of failure that are written out; of further ones only the number is told. */
const KINDS_WRITTEN_MAX = 20;
const BEAT_MS = 30_000;
const BEAT_PERCENT = 5;
const BEAT_APART_MS = 1_000;
/** Stages named in one beat of the clock. */
const BEAT_STAGES_MAX = 10;

/** Writes lines, for pipes, logs, CI and small windows. */
export class LinesForm implements ProgressForm {
  readonly #options: FormOptions;
  readonly #heartbeat: Heartbeat;

  constructor(options: FormOptions) {
    this.#options = options;
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
    const at = new Date(plan.startedAtMs).toISOString();
    const facts =
      plan.isQueue === true
        ? `slots=${plan.slots}`
        : `definition=${plan.definition} stages=${plan.stages.length}`;
    this.#put(plan.startedAtMs, `${subjectOf(plan)} started ${plan.pipeline} ${facts} at=${at}`);
    this.#heartbeat.start();
  }

  /** Instead of `begin`, where another form has said what begins. */
  goOn(): void {
    this.#heartbeat.start();
    this.#beat(undefined);
  }

  tell(applied: Applied): void {
    const { event, stage, logLine } = applied;
    const line = this.#describe(applied);
    if (line !== undefined) this.#put(event.atMs, line);
    if (applied.isFailure) this.#tellFailure(applied);
    if (logLine !== undefined && this.#options.logs === "all") this.#putLog(logLine);
    if (stage !== undefined && event.item !== undefined) this.#heartbeat.look(stage);
  }

  foresee(): void {
    const nowMs = this.#options.clock.wallMs();
    this.#putLeft(nowMs, subjectOf(this.#options.progress.plan));
  }

  remark({ text, level }: Remark): void {
    this.#put(this.#options.clock.wallMs(), level === "info" ? text : `${level} ${text}`);
  }

  stopping({ cause, abortAtMs, resume }: Stopping): void {
    const nowMs = this.#options.clock.wallMs();
    const { plan, running } = this.#options.progress;
    const leftMs = Math.max(0, abortAtMs - nowMs);
    const abort = leftMs === 0 ? "now" : compactDuration(leftMs);
    this.#put(
      nowMs,
      `${subjectOf(plan)} stopping ${quoted(cause)} running=${running} abort=${abort}`,
    );
    if (resume !== undefined) this.#put(nowMs, `resume with: ${resume}`);
  }

  finish(closing: Closing): void {
    this.#heartbeat.stop();
    const { clock, look, write } = this.#options;
    this.#put(clock.wallMs(), this.#describeEnd(closing));
    write(`${renderClosing(closing, look).join("\n")}\n`);
  }

  abandon(): void {
    this.#heartbeat.stop();
  }

  /** The line of an event that is a transition of a stage; undefined: it is none, or only counted. */
  #describe({ event, stage }: Applied): string | undefined {
    if (event.type === "run.cancel_requested") {
      return `${subjectOf(this.#options.progress.plan)} cancel_requested`;
    }
    if (stage === undefined || event.item !== undefined) return undefined;
    const verb = event.type.slice("stage.".length);
    if (STAGE_STATES.some((state) => state === verb)) {
      return `stage ${stage.name} ${this.#state(stage)}${describeStage(stage, event.atMs)}`;
    }
    return DESCRIBED[verb]?.(stage);
  }

  #state(stage: StageProgress): string {
    const isRetry = mainWait(stage)?.wait.kind === "retry";
    const mark = markOf(stage.state, isRetry ? "retry" : undefined);
    return this.#options.look.paint.mark(mark, stage.state);
  }

  #describeEnd(closing: Closing): string {
    const { state, reason, items, stages } = closing;
    const word = this.#options.look.paint.mark(markOf(state), state);
    const why = reason === undefined ? "" : ` ${wordOrQuoted(oneLine(reason))}`;
    const counts = items.total > 0 ? items : stages;
    return `${subjectOf(this.#options.progress.plan)} ${word}${why} succeeded=${counts.succeeded} failed=${counts.failed}`;
  }

  #tellFailure({ event, stage, newFailure, tail }: Applied): void {
    if (stage === undefined) return;
    const { failures } = this.#options.progress;
    if (
      newFailure !== undefined &&
      event.item !== undefined &&
      failures.kinds <= KINDS_WRITTEN_MAX
    ) {
      const word = this.#options.look.paint.mark("failed", "failed");
      const { attempts, class: errorClass, message } = newFailure;
      this.#put(
        event.atMs,
        `item ${addressOf(stage.name, event.item)} ${word} attempts=${attempts}/${Math.max(attempts, stage.attemptsMax)} class=${errorClass} ${quoted(message)}`,
      );
    }
    if (newFailure === undefined || failures.kinds > KINDS_WRITTEN_MAX) return;
    if (failures.kinds === KINDS_WRITTEN_MAX) {
      this.#put(event.atMs, `further kinds of failure are only counted`);
    }
    if (this.#options.logs === "failed") for (const line of tail) this.#putLog(line);
  }

  #beat(stage: StageProgress | undefined): void {
    const nowMs = this.#options.clock.wallMs();
    if (stage !== undefined) {
      this.#put(nowMs, describeBeat(stage, nowMs));
      return;
    }
    const open = [...this.#options.progress.stages.values()].filter(isOpen);
    for (const each of open.slice(0, BEAT_STAGES_MAX)) this.#put(nowMs, describeBeat(each, nowMs));
    const more = open.length - BEAT_STAGES_MAX;
    if (more > 0) this.#put(nowMs, `heartbeat and ${more} more stages`);
    this.#putLeft(nowMs, `heartbeat ${subjectOf(this.#options.progress.plan)}`);
  }

  #putLeft(nowMs: number, subject: string): void {
    const left = this.#options.progress.forecast?.run(nowMs);
    if (left !== undefined) this.#put(nowMs, `${subject} ${leftFacts(left)}`);
  }

  #putLog({ atMs, stage, item, level, text }: LogLine): void {
    const { look } = this.#options;
    this.#put(atMs, `${level} ${addressOf(stage, item)} ${look.alphabet.pipe} ${oneLine(text)}`);
  }

  #put(atMs: number, text: string): void {
    const { write, progress } = this.#options;
    write(`${showStopwatch(atMs - progress.plan.startedAtMs)} ${text}\n`);
  }
}

function isOpen(stage: StageProgress): boolean {
  return stage.state === "running" || stage.state === "waiting";
}

const DESCRIBED: Readonly<Record<string, ((stage: StageProgress) => string) | undefined>> = {
  started: (stage) => {
    const attempt = stage.attempts > 1 ? ` attempt=${stage.attempts}/${stage.attemptsMax}` : "";
    return `stage ${stage.name} started${attempt}`;
  },
  expanded: ({ name, items, kept }) =>
    `stage ${name} expanded items=${items?.total ?? 0}${kept > 0 ? ` kept=${kept}` : ""}`,
  fell_silent: ({ name, silentMs }) => `stage ${name} silent for=${compactDuration(silentMs ?? 0)}`,
};

/** Facts about the state that a stage has come to. */
function describeStage(stage: StageProgress, nowMs: number): string {
  switch (stage.state) {
    case "succeeded":
    case "failed":
      return describeEnding(stage);
    case "waiting":
      return describeWaiting(stage, nowMs);
    case "skipped":
    case "cancelled":
    case "upstream_failed":
      return stage.reason === undefined || stage.reason === ""
        ? ""
        : ` ${wordOrQuoted(stage.reason)}`;
    case "pending":
    case "running":
      return "";
  }
}

function describeEnding({
  durationMs,
  items,
  via,
  attempts,
  attemptsMax,
  failure,
  state,
}: StageProgress): string {
  const parts = [
    compactDuration(durationMs ?? 0),
    ...(items === undefined ? [] : describeItems(items)),
    ...(via === "cache" || via === "checkpoint" ? [`via=${via}`] : []),
    ...(items === undefined && (attempts > 1 || state === "failed")
      ? [`attempts=${attempts}/${Math.max(attempts, attemptsMax)}`]
      : []),
    ...(failure === undefined ? [] : [`class=${failure.class}`, quoted(failure.message)]),
  ];
  return ` ${parts.join(" ")}`;
}

function describeItems(items: ItemCounts): string[] {
  const { total, succeeded, failed, skipped, cancelled, upstream_failed: upstream } = items;
  if (succeeded === total) return [`items=${total}`];
  return [
    `items=${total}`,
    `succeeded=${succeeded}`,
    ...(failed > 0 ? [`failed=${failed}`] : []),
    ...(skipped > 0 ? [`skipped=${skipped}`] : []),
    ...(cancelled > 0 ? [`cancelled=${cancelled}`] : []),
    ...(upstream > 0 ? [`upstream_failed=${upstream}`] : []),
  ];
}

function describeWaiting(stage: StageProgress, nowMs: number): string {
  const wait = mainWait(stage)?.wait;
  if (wait === undefined) return "";
  const parts = [
    waitWord(wait),
    ...(wait.attempt === undefined || wait.kind !== "retry"
      ? []
      : [`attempt=${wait.attempt}/${stage.attemptsMax}`]),
    ...(wait.ahead === undefined ? [] : [`ahead=${wait.ahead}`]),
    ...(wait.dueAtMs === undefined
      ? []
      : [`in=${compactDuration(Math.max(0, wait.dueAtMs - nowMs))}`]),
    ...(wait.class === undefined ? [] : [`class=${wait.class}`]),
    ...(wait.message === undefined ? [] : [quoted(wait.message)]),
  ];
  return ` ${parts.join(" ")}`;
}

function describeBeat(stage: StageProgress, nowMs: number): string {
  const { name, items, state, startedAtMs, reported } = stage;
  if (items === undefined) {
    const parts = [
      `heartbeat ${name} ${state}`,
      compactDuration(Math.floor((nowMs - (startedAtMs ?? nowMs)) / 1000) * 1000),
      ...(reported === undefined ? [] : [`done=${reported.done}/${reported.total ?? "?"}`]),
    ];
    return parts.join(" ");
  }
  const wait = mainWait(stage);
  const perSecond = stage.rate?.perSecond(nowMs) ?? 0;
  const leftMs = remainingMs(stage, nowMs);
  const parts = [
    `heartbeat ${name} ${countEnded(items)}/${items.total}`,
    ...(items.failed > 0 ? [`failed=${items.failed}`] : []),
    ...(wait === undefined ? [] : [`waiting=${countWaiting(stage)}(${waitWord(wait.wait)})`]),
    ...(perSecond > 0 ? [`rate=${showRate(perSecond)}`] : []),
    ...(leftMs === undefined ? [] : [`eta=${showRemaining(leftMs).replaceAll(" ", "")}`]),
  ];
  return parts.join(" ");
}
