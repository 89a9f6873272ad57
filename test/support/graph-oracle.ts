// An oracle for runs of random graphs: it computes how every stage ends from the written rules alone, by looking
// again and again for something to do. It knows nothing of counters, heaps or queues.
//
// One attempt at a time and no waiting, so that there is one right answer: the ready stage that was declared
// first goes first.

import type { TriggerRule } from "millrace";

/** What a stage of a random graph is and does. */
export interface RandomStage {
  readonly needs: readonly { readonly stage: number; readonly required: boolean }[];
  readonly trigger: TriggerRule;
  readonly critical: boolean;
  readonly does: "succeed" | "fail" | "skip";
  readonly declaresSkip: boolean;
  /** Null: no condition. */
  readonly when: boolean | "throws" | null;
  /** The operator skips it in this run. */
  readonly left: boolean;
}

/** A random graph; a stage needs only stages before it in this list. */
export interface RandomGraph {
  readonly stages: readonly RandomStage[];
  /** Place of each stage in the order of declaration. */
  readonly order: readonly number[];
  readonly failFast: boolean;
}

/** How a stage ended. `called`: its own code ran. */
export interface OracleEnding {
  readonly state: "succeeded" | "failed" | "skipped" | "cancelled" | "upstream_failed";
  readonly reason?: string;
  readonly called: boolean;
  /** Of `upstream_failed`: the stage that failed first. */
  readonly origin?: number;
}

/** How a run ended. */
export interface OracleRun {
  readonly state: "succeeded" | "failed" | "skipped";
  readonly warnings: number;
  readonly endings: readonly OracleEnding[];
}

const TOLERANT: readonly TriggerRule[] = ["all_done", "all_failed", "one_failed"];

/** Plays a run. */
export function playRun(graph: RandomGraph): OracleRun {
  const play = new Play(graph);
  play.toTheEnd();
  return play.judgeRun();
}

class Play {
  readonly #graph: RandomGraph;
  readonly #endings: (OracleEnding | undefined)[];
  #failing = false;

  constructor(graph: RandomGraph) {
    this.#graph = graph;
    this.#endings = graph.stages.map(() => undefined);
  }

  toTheEnd(): void {
    for (;;) {
      this.#endWhatCannotRun();
      const ready = this.#open().filter((index) => this.#areNeedsOver(index));
      const place = (index: number): number => this.#graph.order[index] ?? 0;
      const [first] = ready.toSorted((a, b) => place(a) - place(b));
      if (first === undefined) return;
      this.#start(first);
    }
  }

  #open(): number[] {
    return this.#endings.flatMap((ending, index) => (ending === undefined ? [index] : []));
  }

  #stage(index: number): RandomStage {
    const stage = this.#graph.stages[index];
    if (stage === undefined) throw new RangeError(`no stage ${index}`);
    return stage;
  }

  #areNeedsOver(index: number): boolean {
    return this.#stage(index).needs.every((need) => this.#endings[need.stage] !== undefined);
  }

  #endWhatCannotRun(): void {
    for (let again = true; again;) {
      again = false;
      for (const index of this.#open()) {
        if (!this.#areNeedsOver(index)) continue;
        const ending = this.#judge(index);
        if (ending === "runs") continue;
        this.#endings[index] = ending;
        again = true;
      }
    }
  }

  #start(index: number): void {
    const { when, does, critical } = this.#stage(index);
    if (when === false) {
      this.#endings[index] = { state: "skipped", reason: "condition", called: false };
      return;
    }
    const fails = when === "throws" || does === "fail";
    const state = fails ? "failed" : does === "skip" ? "skipped" : "succeeded";
    const reason = state === "skipped" ? { reason: "said so" } : {};
    this.#endings[index] = { state, ...reason, called: when !== "throws" };
    if (!fails || !critical || !this.#graph.failFast || this.#failing) return;
    // Those that read it end by their rules, then whatever has not started.
    this.#endReadersOf(index);
    this.#failing = true;
    this.#failFast();
  }

  #endReadersOf(failed: number): void {
    const reads = (index: number): boolean =>
      this.#stage(index).needs.some((need) => need.stage === failed);
    const readers = this.#open().filter((index) => reads(index) && this.#areNeedsOver(index));
    for (const index of readers) {
      const ending = this.#judge(index);
      if (ending !== "runs") this.#endings[index] = ending;
    }
  }

  #failFast(): void {
    const spared = new Set<number>();
    for (const [index, { trigger, needs }] of this.#graph.stages.entries()) {
      const behindSpared = needs.length > 0 && needs.every((need) => spared.has(need.stage));
      if (TOLERANT.includes(trigger) || behindSpared) {
        spared.add(index);
        continue;
      }
      if (this.#endings[index] !== undefined) continue;
      const origin = this.#findOrigin(this.#needsThatCount(index));
      this.#endings[index] =
        origin === undefined
          ? { state: "cancelled", reason: "fail_fast", called: false }
          : { state: "upstream_failed", origin, called: false };
    }
  }

  /** The needs whose failure the stage cannot bear. */
  #needsThatCount(index: number): number[] {
    const { needs, trigger } = this.#stage(index);
    if (trigger !== "all_success") return needs.map((need) => need.stage);
    return needs
      .filter((need) => need.required || !this.#isSoft(need.stage))
      .map((need) => need.stage);
  }

  #isSoft(index: number): boolean {
    const { critical, when, declaresSkip, trigger, needs } = this.#stage(index);
    if (!critical || when !== null || declaresSkip || trigger !== "all_success") return true;
    return needs.some((need) => need.required);
  }

  /** Who failed first behind these needs: one that failed itself is named before one that stands behind. */
  #findOrigin(needs: readonly number[]): number | undefined {
    const failed = needs.find((need) => this.#endings[need]?.state === "failed");
    if (failed !== undefined) return failed;
    const behind = needs.find((need) => this.#endings[need]?.state === "upstream_failed");
    return behind === undefined ? undefined : this.#endings[behind]?.origin;
  }

  #judge(index: number): OracleEnding | "runs" {
    const { trigger, needs, left } = this.#stage(index);
    if (left) return { state: "skipped", reason: "operator", called: false };
    const counted = this.#needsThatCount(index);
    const origin = this.#findOrigin(counted);
    const states = needs.map((need) => this.#endings[need.stage]?.state);
    const bad = states.filter((state) => state === "failed" || state === "upstream_failed").length;
    const good = states.filter((state) => state === "succeeded").length;
    const skipped = { state: "skipped", reason: "upstream_skipped", called: false } as const;
    const behind = { state: "upstream_failed", origin: origin ?? -1, called: false } as const;
    switch (trigger) {
      case "all_success": {
        if (origin !== undefined) return behind;
        const ends = counted.map((need) => this.#endings[need]);
        const cancelled = ends.find((ending) => ending?.state === "cancelled");
        if (cancelled !== undefined) return { ...cancelled, called: false };
        return ends.every((ending) => ending?.state === "succeeded") ? "runs" : skipped;
      }
      case "all_done":
        return "runs";
      case "all_failed":
        return bad > 0 && bad === needs.length ? "runs" : skipped;
      case "one_failed":
        return bad > 0 ? "runs" : skipped;
      case "none_failed":
        return bad === 0 ? "runs" : behind;
      case "none_failed_min_one_success":
        if (bad > 0) return behind;
        return good > 0 ? "runs" : skipped;
    }
  }

  judgeRun(): OracleRun {
    const endings = this.#endings.map((ending, index) => {
      if (ending === undefined) throw new Error(`The oracle left stage ${index} open.`);
      return ending;
    });
    const isCritical = (index: number | undefined): boolean =>
      index !== undefined && this.#stage(index).critical;
    const failed = endings.some(({ state }, index) => state === "failed" && isCritical(index));
    const has = (state: OracleEnding["state"]): boolean =>
      endings.some((ending) => ending.state === state);
    const warnings = endings.filter(({ state, origin }, index) =>
      state === "failed" ? !isCritical(index) : state === "upstream_failed" && !isCritical(origin),
    ).length;
    const ended = !has("succeeded") && has("skipped") ? "skipped" : "succeeded";
    return { state: failed ? "failed" : ended, warnings, endings };
  }
}
