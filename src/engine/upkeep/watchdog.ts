// Looks, at an interval, at what may hang, and keeps the list of what it finds. Modes: `made`, `watching`, `over`.
// A look is made of surveys. Those about this process are made by every process; those about the store by the one that
// holds the duty, and the others read what that one wrote. A survey that fails is counted, told once until it works
// again, and keeps what it saw before: no fault of one ends the watch, or another survey.

import {
  compareSightings,
  toFinding,
  type Finding,
  type Seen,
  type Sighting,
} from "../../policy/watchdog/finding.ts";
import type { Clock, Timer } from "../../std/clock.ts";

/** One kind of look. */
export interface Survey {
  /** For messages. */
  readonly name: string;
  /** True: it is about the store, and made by one process for all. */
  readonly isShared: boolean;
  look(): Promise<readonly Sighting[]>;
}

/** What the watchdog is made of. */
export interface WatchdogParts {
  readonly clock: Pick<Clock, "setTimer">;
  /** The store's clock. */
  readonly nowMs: () => number;
  /** Time between the end of a look and the next one, ms. */
  readonly everyMs: number;
  /** Findings that are kept of one survey. */
  readonly findingsMax: number;
  readonly surveys: readonly Survey[];
  /** Held for the shared surveys. */
  readonly duty: { hold(): Promise<boolean>; release(): Promise<void> };
  /** What the holder of the duty found; null: nothing is known. */
  readonly board: {
    read(): Promise<readonly Seen[]>;
    write(seen: readonly Seen[]): Promise<void>;
  };
  /** Told of each finding once, by whoever made it; again with the next look where it rejects. */
  readonly opened: (found: Seen) => Promise<void>;
  /** Told of a fault of its own, once for each survey until that works again. */
  readonly failed: (survey: string, error: unknown) => void;
}

/** Watches until it is stopped. */
export class Watchdog {
  readonly #parts: WatchdogParts;
  /** By survey. */
  readonly #seen: Map<string, readonly Seen[]> = new Map();
  /** Findings that could not be told yet, by survey. */
  readonly #untold: Map<string, readonly Seen[]> = new Map();
  readonly #failing: Set<string> = new Set();
  /** What the holder of the duty wrote last, by our reading. */
  #others: readonly Seen[] = [];
  #timer: Timer | null = null;
  #looking: Promise<void> | null = null;
  #isOver: boolean = false;
  #holds: boolean = false;
  #errors: number = 0;
  #looks: number = 0;

  constructor(parts: WatchdogParts) {
    this.#parts = parts;
  }

  /** Faults of its own so far. */
  get errors(): number {
    return this.#errors;
  }

  /** Looks so far. */
  get looks(): number {
    return this.#looks;
  }

  /** Looks for the first time, soon. */
  start(): void {
    if (this.#timer === null && !this.#isOver) this.#arm(0);
  }

  /** What is so now, the worst and oldest first. */
  findings(): readonly Finding[] {
    const seen = [...this.#seen.values()].flat();
    const found = [...seen, ...(this.#holds ? [] : this.#others)].filter((one) => one.isFinding);
    return found
      .map(toFinding)
      .sort((left, right) => rank(left) - rank(right) || left.sinceMs - right.sinceMs);
  }

  /** Looks now; for who does not want to wait. Never rejects. */
  async look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    await this.#looking;
  }

  /** Resolves when nothing of it runs any more. Safe to repeat, and before the start. */
  async stop(): Promise<void> {
    const wasOver = this.#isOver;
    this.#isOver = true;
    this.#timer?.cancel();
    await this.#looking;
    if (!wasOver && this.#holds) await this.#guard("duty", () => this.#parts.duty.release());
    this.#holds = false;
  }

  #arm(delayMs: number): void {
    this.#timer = this.#parts.clock.setTimer(delayMs, () => {
      void this.look().then(() => {
        if (!this.#isOver) this.#arm(this.#parts.everyMs);
      });
    });
  }

  async #look(): Promise<void> {
    this.#looks += 1;
    const { surveys } = this.#parts;
    for (const survey of surveys) if (!survey.isShared) await this.#make(survey);
    await this.#holdDuty();
    for (const survey of surveys) if (survey.isShared && this.#holds) await this.#make(survey);
    if (this.#holds) await this.#guard("board", () => this.#parts.board.write(this.#listShared()));
  }

  async #holdDuty(): Promise<void> {
    const { duty, board } = this.#parts;
    const didHold = this.#holds;
    this.#holds = (await this.#guard("duty", () => duty.hold())) ?? false;
    if (didHold && this.#holds) return;
    for (const { name } of this.#listSharedSurveys()) {
      this.#seen.delete(name);
      this.#untold.delete(name);
    }
    const others = await this.#guard("board", () => board.read());
    if (others !== undefined) this.#others = others;
  }

  async #make(survey: Survey): Promise<void> {
    const sightings = await this.#guard(survey.name, () => survey.look());
    if (sightings === undefined) return;
    const { nowMs, findingsMax } = this.#parts;
    // What another holder has told is not told again.
    const before = this.#seen.get(survey.name) ?? (survey.isShared ? this.#others : []);
    const change = compareSightings(before, sightings, { nowMs: nowMs(), max: findingsMax });
    this.#seen.set(survey.name, change.seen);
    const untold = this.#untold.get(survey.name) ?? [];
    await this.#tell(survey.name, [...listStill(untold, change.seen), ...change.opened]);
  }

  async #tell(survey: string, findings: readonly Seen[]): Promise<void> {
    const untold: Seen[] = [];
    for (const found of findings) {
      const isTold = await this.#guard("events", async () => {
        await this.#parts.opened(found);
        return true;
      });
      if (isTold !== true) untold.push(found);
    }
    this.#untold.set(survey, untold);
  }

  #listSharedSurveys(): readonly Survey[] {
    return this.#parts.surveys.filter(({ isShared }) => isShared);
  }

  #listShared(): readonly Seen[] {
    return this.#listSharedSurveys().flatMap(({ name }) => this.#seen.get(name) ?? []);
  }

  /** Undefined: it failed, which is counted and told. */
  async #guard<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      const answer = await work();
      this.#failing.delete(name);
      return answer;
    } catch (error) {
      this.#errors += 1;
      if (!this.#failing.has(name)) this.#parts.failed(name, error);
      this.#failing.add(name);
      return undefined;
    }
  }
}

/** Those of them that were findings all the time, as they are now. */
function listStill(untold: readonly Seen[], seen: readonly Seen[]): readonly Seen[] {
  return untold.flatMap(({ sighting: { rule, subject }, sinceMs }) =>
    seen.filter(
      ({ sighting, sinceMs: nowSinceMs }) =>
        sighting.rule === rule && sighting.subject === subject && nowSinceMs === sinceMs,
    ),
  );
}

function rank({ level }: Finding): number {
  return level === "red" ? 0 : 1;
}
