// A run written down as events with fixed times and names, to be played to a form on a clock that stands still
// between them: the same text comes out each time. Also the picture and the closing that go with it.

import type { EventType, MillraceEvent } from "../../src/model/event.ts";
import type { Json } from "../../src/std/json.ts";
import { makeVirtualClock, type VirtualClock } from "../../src/std/virtual-clock.ts";
import type { Closing } from "../../src/cli/render/closing/closing.ts";
import type {
  FormOptions,
  LogsShown,
  ProgressForm,
} from "../../src/cli/render/forms/progress-form.ts";
import { plainLook, type Look } from "../../src/cli/render/look.ts";
import { alphabetOf } from "../../src/cli/render/marks.ts";
import { applyEvent, makeProgress } from "../../src/cli/render/progress/progress-model.ts";
import type { PlannedRun, Progress } from "../../src/cli/render/progress/progress.ts";

/** 2026-07-14T08:14:02.118Z, when every recorded run starts. */
export const START_MS: number = Date.UTC(2026, 6, 14, 8, 14, 2, 118);

/** An event with its time since the start. */
export interface RecordedEvent {
  readonly atMs: number;
  readonly type: EventType;
  readonly stage?: string;
  readonly item?: string;
  readonly attempt?: number;
  readonly data?: Readonly<Record<string, Json>>;
}

/** A run with a map, a command, an optional stage and a save, as `crawl` of the documents. */
export const CRAWL: PlannedRun = {
  run: "7f3k",
  pipeline: "crawl",
  definition: "9c1e4d",
  store: "sqlite:.millrace/store.db",
  startedAtMs: START_MS,
  slots: 64,
  stages: [
    { name: "fetch", kind: "stage", attemptsMax: 4 },
    { name: "parse", kind: "command", attemptsMax: 1 },
    { name: "score", kind: "map", attemptsMax: 3 },
    { name: "thumb", kind: "stage", attemptsMax: 2 },
    { name: "save", kind: "stage", attemptsMax: 1 },
  ],
};

/** An event with an item, for short scripts. */
function itemEvent(
  atMs: number,
  verb: "started" | "waiting" | "succeeded" | "failed" | "cancelled",
  rest: {
    readonly item: string;
    readonly attempt?: number;
    readonly data?: Readonly<Record<string, Json>>;
  },
): RecordedEvent {
  return { atMs, type: `item.${verb}`, stage: "score", ...rest };
}

/** The events of `crawl`: `count` items, every tenth fails after three attempts, every fifth needs a second. */
export function recordCrawl(count: number): readonly RecordedEvent[] {
  const events: RecordedEvent[] = [
    { atMs: 0, type: "run.started", data: { epoch: 1 } },
    { atMs: 10, type: "stage.started", stage: "fetch", attempt: 1 },
    {
      atMs: 400,
      type: "stage.waiting",
      stage: "fetch",
      attempt: 1,
      data: {
        blocker: "retry",
        attempt: 1,
        attempts: 4,
        delayMs: 300,
        dueAtMs: START_MS + 700,
        class: "server",
        message: "HTTP 503 from example",
      },
    },
    { atMs: 700, type: "stage.started", stage: "fetch", attempt: 2 },
    {
      atMs: 1_210,
      type: "stage.succeeded",
      stage: "fetch",
      attempt: 2,
      data: { via: "run", attempts: 2, durationMs: 1_200 },
    },
    { atMs: 1_220, type: "stage.started", stage: "parse", attempt: 1 },
    { atMs: 1_225, type: "stage.started", stage: "thumb", attempt: 1 },
    {
      atMs: 1_500,
      type: "stage.logged",
      stage: "thumb",
      attempt: 1,
      data: { level: "info", message: "opening\tpage" },
    },
    {
      atMs: 1_600,
      type: "stage.logged",
      stage: "thumb",
      attempt: 1,
      data: { level: "warn", message: "no \u001b[2Jfont" },
    },
    {
      atMs: 2_000,
      type: "stage.failed",
      stage: "thumb",
      attempt: 2,
      data: {
        class: "timeout",
        message: "no picture after 2 s\nat line 7",
        attempts: 2,
        fingerprint: "t1",
        durationMs: 775,
      },
    },
    {
      atMs: 3_620,
      type: "stage.succeeded",
      stage: "parse",
      attempt: 1,
      data: { via: "run", attempts: 1, durationMs: 2_400 },
    },
    { atMs: 3_630, type: "stage.started", stage: "score", attempt: 1 },
    {
      atMs: 3_640,
      type: "stage.expanded",
      stage: "score",
      data: { items: count, kept: 0, added: count, changed: 0, removed: 0 },
    },
  ];
  for (let index = 0; index < count; index++)
    events.push(...recordItem(index, 4_000 + index * 250));
  const endMs = 4_000 + count * 250 + 1_000;
  const failed = Math.ceil(count / 10);
  return [
    ...events.toSorted((left, right) => left.atMs - right.atMs),
    {
      atMs: endMs,
      type: "stage.failed",
      stage: "score",
      data: {
        class: "server",
        message: `${failed} of ${count} items failed`,
        attempts: 1,
        fingerprint: "s1",
        durationMs: endMs - 3_630,
      },
    },
    {
      atMs: endMs + 5,
      type: "stage.upstream_failed",
      stage: "save",
      data: { stage: "score", message: "failed" },
    },
    {
      atMs: endMs + 10,
      type: "run.failed",
      data: { durationMs: endMs + 10, warnings: 1, stage: "score" },
    },
  ];
}

function recordItem(index: number, atMs: number): RecordedEvent[] {
  const item = `row-${index}`;
  const started = (ms: number, attempt: number): RecordedEvent =>
    itemEvent(ms, "started", { item, attempt, data: { index } });
  const waiting = (ms: number, attempt: number): RecordedEvent =>
    itemEvent(ms, "waiting", {
      item,
      attempt,
      data: {
        index,
        blocker: "retry",
        attempt,
        attempts: 3,
        delayMs: 100,
        dueAtMs: START_MS + ms + 100,
        class: "server",
        message: "HTTP 502 from scorer",
      },
    });
  if (index % 10 === 0) {
    return [
      started(atMs, 1),
      waiting(atMs + 100, 1),
      started(atMs + 200, 2),
      waiting(atMs + 300, 2),
      started(atMs + 400, 3),
      itemEvent(atMs + 500, "failed", {
        item,
        attempt: 3,
        data: {
          index,
          class: "server",
          message: "HTTP 502 from scorer",
          code: "HTTP 502",
          attempts: 3,
          fingerprint: "s502",
        },
      }),
    ];
  }
  if (index % 5 === 0) {
    return [
      started(atMs, 1),
      waiting(atMs + 100, 1),
      started(atMs + 200, 2),
      itemEvent(atMs + 320, "succeeded", {
        item,
        attempt: 2,
        data: { index, via: "run", attempts: 2 },
      }),
    ];
  }
  return [
    started(atMs, 1),
    itemEvent(atMs + 180, "succeeded", {
      item,
      attempt: 1,
      data: { index, via: "run", attempts: 1 },
    }),
  ];
}

/** A recorded event as a listener gets it. */
export function toEvent(recorded: RecordedEvent, number: number): MillraceEvent {
  return {
    ...recorded,
    seq: number,
    runSeq: number,
    atMs: START_MS + recorded.atMs,
    run: "01981a2b-0000-7000-8000-000000000001",
  };
}

/** A form on a standing clock, and what it wrote. */
export interface Stage {
  readonly clock: VirtualClock;
  readonly progress: Progress;
  readonly form: ProgressForm;
  /** Everything written so far. */
  written(): string;
}

/** What of a stage may be chosen. */
export interface StageOptions {
  readonly plan?: PlannedRun;
  readonly look?: Look;
  readonly logs?: LogsShown;
}

/** Makes a form that writes into memory. */
export function setStage(
  make: (options: FormOptions) => ProgressForm,
  options: StageOptions = {},
): Stage {
  const clock = makeVirtualClock({ startAtMs: START_MS });
  const progress = makeProgress(options.plan ?? CRAWL);
  const chunks: string[] = [];
  const form = make({
    progress,
    clock,
    look: options.look ?? plainLook(alphabetOf("unicode")),
    logs: options.logs ?? "failed",
    write: (text) => chunks.push(text),
  });
  return { clock, progress, form, written: () => chunks.join("") };
}

/** Plays events to a form, each at its time. */
export async function play(stage: Stage, events: readonly RecordedEvent[]): Promise<void> {
  for (const [index, recorded] of events.entries()) {
    const waitMs = START_MS + recorded.atMs - stage.clock.wallMs();
    if (waitMs > 0) await stage.clock.advance(waitMs);
    stage.form.tell(applyEvent(stage.progress, toEvent(recorded, index + 1)));
  }
}

/** A closing for the recorded run. */
export function closeCrawl(progress: Progress, changes: Partial<Closing> = {}): Closing {
  const { items } = progress;
  return {
    run: "7f3k",
    pipeline: "crawl",
    state: progress.state,
    reason: undefined,
    durationMs: (progress.endedAtMs ?? START_MS) - START_MS,
    workMs: progress.workMs,
    warnings: 1,
    stages: { ...progress.stageCounts, total: progress.stages.size },
    items,
    retried: progress.retried,
    kept: { stages: 0, items: 0 },
    cache: undefined,
    waited: [["retry", 4_000]],
    slowest: [
      { stage: "score", durationMs: 11_000, p50Ms: 180, p95Ms: 320 },
      { stage: "parse", durationMs: 2_400 },
    ],
    failures: progress.failures.byCount(),
    otherFailures: 0,
    outputs: [],
    results: [],
    next: [
      { command: "npx millrace resume 7f3k", purpose: "redo what failed, keep the rest" },
      { command: "npx millrace why 7f3k/score/row-0", purpose: "" },
    ],
    ...changes,
  };
}
