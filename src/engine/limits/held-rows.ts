// Tells and stores who of a run waits for a resource, and for which, so that any process can say why. Only of those who
// wait for longer than a moment, and of few items at a time: a hundred thousand may wait in one line. When one goes on
// nothing is written; its end replaces its row.

import { GATE_ROWS_MAX, GATE_TOLD_MS, writeGateBlocker } from "../../model/resource/gate-wait.ts";
import type { Timer } from "../../std/clock.ts";
import type { Attempt } from "../attempt/attempt.ts";
import type { Journal } from "../ledger/journal.ts";
import type { RunCore } from "../run-core.ts";
import { toHeldEvent, toHeldItem, toHeldStage, type HeldWait } from "../ledger/wait-records.ts";
import { gateOf } from "./count-wait.ts";
import type { Admissions } from "./admissions.ts";

/** Positions in line that one look counts: each costs a walk along its line. */
const COUNTED_MAX = 10;
/** How long a row stays as it is although something else stands in the way by now, ms. */
const RETOLD_MS = 5_000;

/** What is asked of the driver. */
export interface HeldRowsHost {
  readonly maps: {
    find(index: number): { versionOf(index: number): string | null } | undefined;
  };
  /** Who waits now: attempts that have not begun, and those of which a block waits. */
  listWaiting(): Iterable<Attempt>;
  fail(error: unknown): void;
}

/** The rows of one run that say what is waited for. */
export class HeldRows {
  readonly #core: RunCore;
  readonly #admissions: Admissions;
  readonly #host: HeldRowsHost;
  #timer: Timer | null = null;

  constructor(core: RunCore, admissions: Admissions, host: HeldRowsHost) {
    this.#core = core;
    this.#admissions = admissions;
    this.#host = host;
  }

  /** Something waits: it is looked at while anything does. */
  watch(): void {
    const { journal, sink, world } = this.#core;
    if (this.#timer !== null || (journal === null && sink === null)) return;
    this.#timer = world.clock.setTimer(GATE_TOLD_MS, () => {
      this.#timer = null;
      if (this.tell(GATE_TOLD_MS)) this.watch();
    });
  }

  /** Tells of those who have waited for so long; false: nobody waits. Rows are in the store before whatever is written
   *  after them. */
  tell(longerThanMs: number): boolean {
    const nowMs = this.#core.world.clock.monotonicMs();
    const counts = countByStage(this.#host.listWaiting());
    let counted = 0;
    for (const attempt of this.#host.listWaiting()) {
      const visit = attempt.atGate?.visit ?? null;
      if (visit === null || nowMs - visit.sinceMs < longerThanMs) continue;
      const count = counts.get(attempt.stageRun.index);
      if (count === undefined || !isNews(attempt, nowMs)) continue;
      const isFirst = attempt.atGate?.told === null;
      if (isFirst && count.told >= GATE_ROWS_MAX) continue;
      if (isFirst) count.told += 1;
      counted += 1;
      this.#tellOne(attempt, {
        sinceMs: visit.sinceMs,
        isCounted: counted <= COUNTED_MAX,
        waiting: count.all,
      });
    }
    return counts.size > 0;
  }

  #tellOne(attempt: Attempt, { sinceMs, isCounted, waiting }: Seen): void {
    const at = attempt.makeGate();
    if (at.waits === null) return;
    const present = isCounted ? this.#admissions.explain(attempt) : null;
    const hindrance = present?.hindrance ?? at.waits.hindrance;
    const { journal, world } = this.#core;
    const nowMs = world.clock.monotonicMs();
    const storeMs = journal?.nowMs() ?? this.#core.wallOf(nowMs);
    const { isInBlock } = at;
    const since = Math.round(storeMs - (nowMs - sinceMs));
    const wait: HeldWait = {
      gate: gateOf(hindrance),
      isInBlock,
      now: {
        sinceMs: since,
        ahead: present?.ahead ?? null,
        ...(isInBlock ? { block: attempt.attempt } : {}),
      },
      dueAtMs: hindrance.untilMs === null ? null : Math.round(storeMs + hindrance.untilMs - nowMs),
      waiting,
    };
    at.told = { blocker: writeGateBlocker(gateOf(at.waits.hindrance)), atMs: nowMs };
    if (journal === null) this.#core.tell(toHeldEvent(attempt, wait));
    else this.#put(journal, attempt, wait);
  }

  #put(journal: Journal, attempt: Attempt, wait: HeldWait): void {
    const { stageRun, index } = attempt;
    const rider = { events: [toHeldEvent(attempt, wait)] };
    const version =
      index < 0 ? null : (this.#host.maps.find(stageRun.index)?.versionOf(index) ?? null);
    const put =
      index < 0
        ? journal.putStage(toHeldStage(this.#core, attempt, wait), rider)
        : journal.putItem(
            toHeldItem(this.#core, attempt, { ...wait, inputVersion: version }),
            rider,
          );
    put.catch((error: unknown) => this.#host.fail(error));
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}

interface Seen {
  /** Monotonic ms. */
  readonly sinceMs: number;
  readonly isCounted: boolean;
  /** Of its stage. */
  readonly waiting: number;
}

interface Count {
  all: number;
  told: number;
}

function countByStage(waiting: Iterable<Attempt>): ReadonlyMap<number, Count> {
  const counts = new Map<number, Count>();
  for (const { stageRun, atGate } of waiting) {
    let count = counts.get(stageRun.index);
    if (count === undefined) {
      count = { all: 0, told: 0 };
      counts.set(stageRun.index, count);
    }
    count.all += 1;
    if (atGate !== null && atGate.told !== null) count.told += 1;
  }
  return counts;
}

/** True where nothing was told of its wait, or something else for a while. */
function isNews({ atGate }: Attempt, nowMs: number): boolean {
  if (atGate === null || atGate.waits === null) return false;
  const { told, waits } = atGate;
  if (told === null) return true;
  const isOther = told.blocker !== writeGateBlocker(gateOf(waits.hindrance));
  return isOther && nowMs - told.atMs >= RETOLD_MS;
}
