// Starts the watchdog of a process: what it looks at, how often, and what follows from what it finds. Two watches: one
// over this process, every few seconds, and one over the store, made by one process for all.

import { Duty } from "../../engine/upkeep/duty.ts";
import { Watchdog, type Survey } from "../../engine/upkeep/watchdog.ts";
import {
  PRESENCE_MS_DEFAULT,
  SILENT_RUN_MS_DEFAULT,
  WATCH_MS_DEFAULT,
} from "../../model/defaults.ts";
import { FINDINGS_MAX } from "../../model/limits.ts";
import { toFinding, type Finding, type Seen } from "../../policy/watchdog/finding.ts";
import type { Timer } from "../../std/clock.ts";
import { readDiskRoom, readFileBytes, readFileId } from "../../std/figures/disk.ts";
import { LoopDelay } from "../../std/figures/loop-delay.ts";
import { readMemory } from "../../std/figures/memory.ts";
import { findStorePath, isMemoryUrl } from "../../storage/open-store.ts";
import { openUpkeep } from "../../storage/open-upkeep.ts";
import { rememberFailures } from "../failures/known-failures.ts";
import { contextOf, type MillContext } from "../mill-context.ts";
import { FindingBoard } from "./finding-board.ts";
import { readHeartbeat } from "./heartbeat.ts";
import { toFindingView, type HealthFinding } from "../views/health-view.ts";
import { forgetLostWorkers } from "../worker/lost-workers.ts";
import { makeLogSurvey } from "./survey-log.ts";
import {
  makeDiskSurvey,
  makeFileSurvey,
  makeProcessSurvey,
  makeStoreSurvey,
  STORE_FILE_HOLD,
  type ProcessFigures,
} from "./survey-process.ts";
import { QueueSurvey } from "./survey-queues.ts";
import { ResourceSurvey } from "./survey-resources.ts";
import { RunSurvey } from "./survey-runs.ts";
import { tellFinding } from "./tell-finding.ts";

/** How a process is watched. */
export interface WatchdogOptions {
  /** Time between two looks at the store, ms. Default 30 s. */
  readonly everyMs?: number;
  /** Silence of a running run that is worth a warning, ms. Default 10 min. */
  readonly silentMs?: number;
  /** Schedules of this process. Default: none. */
  readonly scheduler?: { readonly lateMs: number };
  /** The process is at its end: out of memory, or full of attempts that do not stop. It should drain and be started
   *  anew. Called once. Default: it is only told. */
  readonly onExhausted?: (reason: string) => void;
  /** Told of each finding once, by the process that made it. Default: it is an event, and stands in the list. */
  readonly onFound?: (found: HealthFinding) => void;
  /** Told what is odd with the watch itself. Default: what the mill was opened with. */
  readonly onWarning?: (message: string) => void;
  /** Default: those of the process and its disk. */
  readonly figures?: ProcessFigures;
}

/** How often it looks, and what it takes as silence; ms. */
export interface WatchPeriods {
  readonly everyMs: number;
  readonly silentMs: number;
}

/** A watch under way. */
export interface RunningWatchdog {
  /** What is so now, the worst and oldest first: what this process found, and what the holder of the duty did. */
  findings(): readonly Finding[];
  /** Looks now. Never rejects. */
  look(): Promise<void>;
  /** Other periods, from the next look on; ms. */
  setPeriods(periods: WatchPeriods): void;
  /** Faults of the watch itself so far. */
  readonly errors: number;
  /** Resolves when nothing of it runs any more. Safe to repeat. */
  stop(): Promise<void>;
}

/** How long bringing in the log may hold up who writes, ms. */
const CHECKPOINT_BUSY_MS_MAX = 200;

/** Time between two looks at the process, ms. */
const SELF_MS = 5_000;

/** Watches. `mill`: what `openMillrace` gave. Looks for the first time at once. */
export function startWatchdog(mill: object, options: WatchdogOptions = {}): RunningWatchdog {
  return new MillWatch(contextOf(mill), options);
}

class MillWatch implements RunningWatchdog {
  readonly #mill: MillContext;
  readonly #options: WatchdogOptions;
  readonly #delay: LoopDelay = new LoopDelay();
  readonly #figures: ProcessFigures;
  readonly #runs: RunSurvey;
  readonly #own: Watchdog;
  readonly #shared: Watchdog;
  #tick: Timer | null = null;
  #everyMs: number;
  #isExhausted: boolean = false;
  #isOver: boolean = false;

  constructor(mill: MillContext, options: WatchdogOptions) {
    this.#mill = mill;
    this.#options = options;
    this.#figures = options.figures ?? {
      readMemory,
      takeLoopDelayMs: () => this.#delay.takeP99Ms(),
      readDisk: readDiskRoom,
      readFileBytes,
      readFileId,
    };
    this.#runs = new RunSurvey(mill, options.silentMs ?? SILENT_RUN_MS_DEFAULT);
    this.#everyMs = options.everyMs ?? WATCH_MS_DEFAULT;
    this.#own = this.#makeWatch(this.#listOwn(), () => Math.min(SELF_MS, this.#everyMs));
    this.#shared = this.#makeWatch(this.#listShared(), () => this.#everyMs);
    mill.standing.watch = this;
    this.#own.start();
    this.#shared.start();
    this.#beat();
  }

  get errors(): number {
    return this.#own.errors + this.#shared.errors;
  }

  findings(): readonly Finding[] {
    return [...this.#own.findings(), ...this.#shared.findings()];
  }

  setPeriods({ everyMs, silentMs }: WatchPeriods): void {
    this.#everyMs = everyMs;
    this.#runs.silentMs = silentMs;
  }

  async look(): Promise<void> {
    await Promise.all([this.#own.look(), this.#shared.look()]);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    this.#tick?.cancel();
    await Promise.all([this.#own.stop(), this.#shared.stop()]);
    this.#delay.close();
    for (const hold of ["disk", STORE_FILE_HOLD]) this.#mill.standing.letGo(hold);
    if (this.#mill.standing.watch === this) this.#mill.standing.watch = null;
  }

  /** Every second: whether a clock jumped. */
  #beat(): void {
    if (this.#isOver) return;
    this.#mill.standing.clocks.look();
    this.#tick = this.#mill.world.clock.setTimer(PRESENCE_MS_DEFAULT, () => this.#beat());
  }

  #makeWatch(surveys: readonly Survey[], everyMs: () => number): Watchdog {
    const { world, store, owner, committer } = this.#mill;
    const isShared = surveys.some((survey) => survey.isShared);
    const duty = new Duty({
      store,
      write: (write) => committer.write(write),
      name: "watchdog",
      holder: owner.worker,
      get leaseMs(): number {
        return everyMs() * 3;
      },
    });
    return new Watchdog({
      clock: world.clock,
      nowMs: () => store.nowMs(),
      get everyMs(): number {
        return everyMs();
      },
      findingsMax: FINDINGS_MAX,
      surveys,
      duty: isShared ? duty : NO_DUTY,
      board: isShared ? new FindingBoard(this.#mill) : NO_BOARD,
      opened: (found) => this.#open(found),
      failed: (survey, error) => this.#warn(survey, error),
    });
  }

  #listOwn(): readonly Survey[] {
    const figures = this.#figures;
    const path = pathOf(this.#mill.store.url);
    return [
      makeProcessSurvey(this.#mill, figures),
      makeDiskSurvey(this.#mill, path, figures),
      makeFileSurvey(this.#mill, path, figures),
      makeStoreSurvey(this.#mill),
    ];
  }

  #listShared(): readonly Survey[] {
    const { store, world } = this.#mill;
    const { scheduler } = this.#options;
    return [
      this.#runs,
      new QueueSurvey({ store, clock: world.clock, scheduler }),
      new ResourceSurvey(store),
      makeLogSurvey({
        path: pathOf(store.url),
        readFileBytes: this.#figures.readFileBytes,
        checkpoint: () => checkpoint(store.url),
      }),
      {
        name: "heartbeat",
        isShared: false,
        look: async () => {
          await this.#publish();
          return [];
        },
      },
      {
        name: "failures",
        isShared: true,
        look: async () => {
          await rememberFailures(this.#mill);
          return [];
        },
      },
      {
        name: "lost workers",
        isShared: true,
        look: async () => {
          await forgetLostWorkers(this.#mill);
          return [];
        },
      },
    ];
  }

  async #publish(): Promise<void> {
    const { bus } = this.#mill.events;
    if (bus === null || bus.subscriberCount === 0) return;
    bus.publish({ type: "system.heartbeat", run: "", data: await readHeartbeat(this.#mill) });
  }

  async #open(found: Seen): Promise<void> {
    const { rule, message } = found.sighting;
    this.#options.onFound?.(toFindingView(toFinding(found)));
    if (rule === "memory-high" || rule === "attempts-stuck") this.#exhaust(message);
    const told = await tellFinding(this.#mill, found);
    const { runId } = found.sighting;
    if (runId !== undefined && told !== null) this.#runs.noteTold(runId, told.sinceMs, told.atMs);
  }

  #exhaust(reason: string): void {
    if (this.#isExhausted) return;
    this.#isExhausted = true;
    this.#options.onExhausted?.(reason);
  }

  #warn(survey: string, error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    const tell = this.#options.onWarning ?? this.#mill.warn;
    tell(`The watchdog could not look at its ${survey}: ${text} It goes on.`);
  }
}

const NO_DUTY = {
  hold: async (): Promise<boolean> => false,
  release: async (): Promise<void> => {},
};
const NO_BOARD = {
  read: async (): Promise<readonly Seen[]> => [],
  write: async (): Promise<void> => {},
};

/** Null: a store without a file. */
function pathOf(url: string): string | null {
  return isMemoryUrl(url) ? null : findStorePath(url);
}

async function checkpoint(url: string): Promise<{ readonly isHeld: boolean }> {
  const upkeep = await openUpkeep(url, {
    purpose: "bring in",
    busyTimeoutMs: CHECKPOINT_BUSY_MS_MAX,
  });
  try {
    return upkeep.checkpoint();
  } finally {
    upkeep.close();
  }
}
