// Counts what events tell, whichever process told them: from the moment somebody first asks, until the bus closes. The
// names of pipelines and stages are bounded; of which pipeline a run is, is remembered for the last runs and else read.

import type { WaitedMs } from "../../model/checkpoint.ts";
import type { MillraceEvent } from "../../model/event.ts";
import { FIGURE_PAIRS_MAX, FIGURE_PIPELINES_MAX } from "../../model/limits.ts";
import type { Clock } from "../../std/clock.ts";
import type { Store } from "../../storage/store.ts";
import type { BusEntry } from "../feed/event-bus.ts";
import type { FigureSink } from "./figure.ts";
import { LabelBound, OTHER_LABEL } from "./label-bound.ts";

/** What it is made of. */
export interface EventCountsParts {
  readonly store: Pick<Store, "findRun" | "listStageEnds">;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly sink: FigureSink;
}

/** Runs whose pipeline is remembered. */
const RUNS_MAX = 10_000;
/** Classes of failures, causes of waits, targets of notices with a series of their own: there are fewer. */
const WORDS_MAX = 64;
const SECONDS_OF_MINUTE = 60;

const ENDS: ReadonlySet<string> = new Set(["succeeded", "failed", "skipped", "cancelled"]);
const PART_ENDS: ReadonlySet<string> = new Set([...ENDS, "upstream_failed"]);

/** Counts events. */
export class EventCounts {
  /** Of pipelines; gauges of the store use it as well, so that both know the same ones. */
  readonly pipelines: LabelBound = new LabelBound(FIGURE_PIPELINES_MAX);
  readonly resources: LabelBound = new LabelBound(FIGURE_PIPELINES_MAX);
  readonly #parts: EventCountsParts;
  readonly #pairs: LabelBound = new LabelBound(FIGURE_PAIRS_MAX);
  readonly #words: LabelBound = new LabelBound(WORDS_MAX);
  readonly #pipelineOf: Map<string, string> = new Map();
  /** Ends by the second they were heard in, of the last minute. */
  readonly #endings: { second: number; count: number }[] = [];

  constructor(parts: EventCountsParts) {
    this.#parts = parts;
  }

  /** Runs that ended within the last minute. */
  get perMinute(): number {
    const oldest = this.#second() - SECONDS_OF_MINUTE;
    while ((this.#endings[0]?.second ?? Infinity) <= oldest) this.#endings.shift();
    return this.#endings.reduce((sum, { count }) => sum + count, 0);
  }

  /** Counts until the events end. A fault of the store costs what it hides and no more. */
  async listen(entries: AsyncIterable<BusEntry>): Promise<void> {
    for await (const entry of entries) {
      if (entry.kind === "gap") {
        this.#parts.sink.count("millrace_events_missed_total", {}, entry.missed);
        continue;
      }
      await this.#take(entry.event).catch(() =>
        this.#parts.sink.count("millrace_events_missed_total", {}),
      );
    }
  }

  async #take(event: MillraceEvent): Promise<void> {
    const [noun, word = ""] = event.type.split(".");
    if (event.type === "run.created") this.#countCreated(event);
    else if (noun === "run" && ENDS.has(word)) await this.#countEnd(event, word);
    else if (noun === "stage" && PART_ENDS.has(word)) await this.#countStage(event, word);
    else if (noun === "item" && PART_ENDS.has(word)) await this.#countItem(event, word);
    else if (word === "waiting") await this.#countRetry(event);
    else if (event.type === "notice.failed") this.#countNotice(event);
  }

  #countCreated({ run, data }: MillraceEvent): void {
    const named = data?.["pipeline"];
    if (typeof named !== "string") return;
    const pipeline = this.#remember(run, named);
    this.#parts.sink.count("millrace_runs_created_total", { pipeline });
  }

  async #countEnd(event: MillraceEvent, state: string): Promise<void> {
    const { sink, store } = this.#parts;
    this.#noteEnding();
    const pipeline = await this.#findPipeline(event.run);
    sink.count("millrace_runs_ended_total", { pipeline, state });
    const seconds = secondsOf(event.data?.["durationMs"]);
    if (seconds !== undefined) sink.observe("millrace_run_duration_seconds", { pipeline }, seconds);
    for (const { waitedMs } of await store.listStageEnds(event.run)) this.#countWaits(waitedMs);
  }

  #countWaits(waited: WaitedMs): void {
    for (const [cause, ms] of Object.entries(waited)) {
      if (typeof ms !== "number" || ms <= 0) continue;
      const [kind = cause, ...rest] = cause.split(":");
      const resource = rest.length === 0 ? "" : this.resources.take(rest.join(":"));
      const labels = { cause: this.#words.take(kind), resource };
      this.#parts.sink.count("millrace_waited_seconds_total", labels, ms / 1_000);
    }
  }

  async #countStage(event: MillraceEvent, state: string): Promise<void> {
    const { sink } = this.#parts;
    const labels = await this.#placeOf(event);
    sink.count("millrace_stages_ended_total", { ...labels, state });
    this.#countAttempts(event, labels);
    const seconds = secondsOf(event.data?.["durationMs"]);
    if (seconds !== undefined) sink.observe("millrace_stage_duration_seconds", labels, seconds);
  }

  async #countItem(event: MillraceEvent, state: string): Promise<void> {
    const labels = await this.#placeOf(event);
    this.#parts.sink.count("millrace_items_ended_total", { ...labels, state });
    this.#countAttempts(event, labels);
  }

  #countAttempts({ data }: MillraceEvent, labels: PlaceLabels): void {
    const attempts = data?.["attempts"];
    if (typeof attempts !== "number" || attempts <= 0) return;
    this.#parts.sink.count("millrace_attempts_total", labels, attempts);
  }

  async #countRetry(event: MillraceEvent): Promise<void> {
    if (event.data?.["blocker"] !== "retry") return;
    const named = event.data["class"];
    const kind = this.#words.take(typeof named === "string" ? named : "unknown");
    const labels = await this.#placeOf(event);
    this.#parts.sink.count("millrace_retries_total", { ...labels, class: kind });
  }

  #countNotice({ data }: MillraceEvent): void {
    const target = data?.["target"];
    if (typeof target !== "string") return;
    this.#parts.sink.count("millrace_notices_failed_total", { target: this.#words.take(target) });
  }

  /** A stage beyond the bound keeps its pipeline and shares its name. */
  async #placeOf({ run, stage = "" }: MillraceEvent): Promise<PlaceLabels> {
    const pipeline = await this.#findPipeline(run);
    const isKnown = this.#pairs.take(`${pipeline}/${stage}`) !== OTHER_LABEL;
    return { pipeline, stage: isKnown ? stage : OTHER_LABEL };
  }

  async #findPipeline(run: string): Promise<string> {
    const known = this.#pipelineOf.get(run);
    if (known !== undefined) return known;
    const record = await this.#parts.store.findRun(run);
    return record === undefined ? OTHER_LABEL : this.#remember(run, record.pipeline);
  }

  #remember(run: string, name: string): string {
    const [oldest] = this.#pipelineOf.keys();
    if (this.#pipelineOf.size >= RUNS_MAX && oldest !== undefined) this.#pipelineOf.delete(oldest);
    const pipeline = this.pipelines.take(name);
    this.#pipelineOf.set(run, pipeline);
    return pipeline;
  }

  #noteEnding(): void {
    const second = this.#second();
    const last = this.#endings.at(-1);
    if (last?.second === second) last.count += 1;
    else this.#endings.push({ second, count: 1 });
    if (this.#endings.length > SECONDS_OF_MINUTE) this.#endings.shift();
  }

  #second(): number {
    return Math.floor(this.#parts.clock.monotonicMs() / 1_000);
  }
}

/** Which stage of which pipeline. */
interface PlaceLabels extends Readonly<Record<string, string>> {
  readonly pipeline: string;
  readonly stage: string;
}

function secondsOf(ms: unknown): number | undefined {
  return typeof ms === "number" && ms >= 0 ? ms / 1_000 : undefined;
}
