// Makes notices of events: follows the store from where the last process left off, and queues one run of our own
// pipeline per event and target, once, whichever process does it and however often. Who works the queue delivers them.
//
// Of that pipeline itself nothing is told but that a notice was given up. A fault of the store is waited out.

import type { ParsedNotify } from "../../../model/compile/notify-settings.ts";
import { isBuiltIn, NOTICE_PIPELINE } from "../../pipelines/built-in.ts";
import { isMillraceError, MillraceError } from "../../../model/errors.ts";
import type { EventDraft, EventType, MillraceEvent } from "../../../model/event.ts";
import { messageOf } from "../../../policy/failure.ts";
import { enqueueRuns, type EnqueueEntry } from "../../commands/enqueue-runs.ts";
import type { EventBus } from "../../feed/event-bus.ts";
import { busOf } from "../../feed/open-bus.ts";
import { contextOf, getDefinition, type MillContext } from "../../mill-context.ts";
import { noticeIdOf, toBreakerNotice, toHealthNotice, toRunNotice, type Notice } from "./notice.ts";
import { NoticeBudget } from "./notice-budget.ts";
import { NoticeCursor } from "./notice-cursor.ts";

/** How notices are made. */
export interface NoticeOptions {
  /** Default: that of the mill. */
  readonly bus?: EventBus;
  /** Told what is odd, once until it is gone. Default: that of the mill. */
  readonly onWarning?: (message: string) => void;
}

/** Notices are being made. */
export interface RunningNotices {
  /** Resolves when nothing of it goes on. Safe to repeat. */
  stop(): Promise<void>;
}

/** Longest time between two tries while the store is away, ms. */
const AWAY_MS_MAX = 30_000;
const AWAY_MS_MIN = 500;
/** Events that nobody is told of, after which the cursor is moved all the same. */
const UNTOLD_MAX = 1_000;

const TYPES: readonly EventType[] = [
  "run.failed",
  "run.succeeded",
  "health.changed",
  "breaker.opened",
];

/**
 * Starts making notices of what happens from now on, or since somebody last did on this store. Any number of processes
 * may. OPTION_INVALID for a mill that was opened without `notify`.
 */
export function startNotices(mill: object, options: NoticeOptions = {}): RunningNotices {
  const context = contextOf(mill);
  if (context.notices.settings === null) {
    throw new MillraceError("OPTION_INVALID", "This mill was opened without targets of notices.", {
      hint: "openMillrace({ notify: { targets: { ... } } })",
    });
  }
  const watch = new NoticeWatch(context, options);
  const done = watch.work();
  return {
    stop: async () => {
      watch.stop();
      await done;
    },
  };
}

class NoticeWatch {
  readonly #mill: MillContext;
  readonly #bus: EventBus;
  readonly #warn: (message: string) => void;
  readonly #cursor: NoticeCursor;
  readonly #budget: NoticeBudget = new NoticeBudget();
  readonly #stopping: AbortController = new AbortController();
  #untold: number = 0;
  #awayMs: number = 0;
  /** Number of the last event that was dealt with here; null: not known yet. */
  #seq: number | null = null;

  constructor(mill: MillContext, options: NoticeOptions) {
    this.#mill = mill;
    this.#bus = options.bus ?? busOf(mill);
    this.#warn = options.onWarning ?? mill.warn;
    this.#cursor = new NoticeCursor(mill);
  }

  stop(): void {
    this.#stopping.abort();
  }

  /** Never rejects. */
  async work(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted && !this.#mill.closing) {
      try {
        this.#seq ??= await this.#cursor.begin();
        await this.#follow(this.#seq);
      } catch (error) {
        if (isMillraceError(error) && error.code === "STORE_CLOSED") return;
        await this.#rest(error);
      }
    }
  }

  async #rest(error: unknown): Promise<void> {
    if (this.#awayMs === 0) this.#warn(`Notices wait for now: ${messageOf(error)}`);
    this.#awayMs = Math.min(AWAY_MS_MAX, Math.max(AWAY_MS_MIN, 2 * this.#awayMs));
    const { signal } = this.#stopping;
    await this.#mill.world.clock.sleep(this.#awayMs, signal).catch(() => undefined);
  }

  /** Until it is stopped, the mill closes, or events were lost on the way: those are read again. */
  async #follow(after: number): Promise<void> {
    const { signal } = this.#stopping;
    for await (const entry of this.#bus.subscribe({
      after,
      types: TYPES,
      storedOnly: true,
      signal,
    })) {
      if (entry.kind === "gap") return;
      await this.#take(entry.event);
      this.#seq = entry.event.seq;
      this.#awayMs = 0;
    }
    // A bus that is closed ends at once: so does this.
    if (this.#mill.closing) this.stop();
  }

  async #take(event: MillraceEvent): Promise<void> {
    if (await this.#cursor.isPast(event.seq)) return;
    // They may have changed since the last one. With nobody to tell it stays for when there is somebody again.
    const { settings } = this.#mill.notices;
    if (settings === null) return this.stop();
    const { notice, events } = await this.#judge(event, settings);
    const entries = notice === undefined ? [] : this.#toEntries(event, notice, settings);
    if (entries.length > 0) {
      const definition = getDefinition(this.#mill, NOTICE_PIPELINE);
      await enqueueRuns(this.#mill, { definition, entries, options: { source: "notices" } });
    }
    this.#untold += 1;
    if (entries.length + events.length === 0 && this.#untold < UNTOLD_MAX) return;
    await this.#cursor.move(event.seq, events);
    this.#untold = 0;
  }

  async #judge(event: MillraceEvent, { targets }: ParsedNotify): Promise<Judged> {
    if (event.type === "breaker.opened") return { notice: toBreakerNotice(event), events: [] };
    if (event.type === "health.changed") {
      const notice = toHealthNotice(event);
      return { notice: isBuiltIn(notice?.pipeline ?? "") ? undefined : notice, events: [] };
    }
    const run = await this.#mill.store.findRun(event.run);
    if (run === undefined) return NOTHING;
    if (run.pipeline === NOTICE_PIPELINE && event.type === "run.failed")
      return { notice: undefined, events: [toGivenUp(run.tags, event)] };
    if (isBuiltIn(run.pipeline)) return NOTHING;
    if (event.type === "run.failed")
      return { notice: toRunNotice(event, run, "run.failed"), events: [] };
    const isAsked = [...targets.values()].some(({ types }) => types.has("run.recovered"));
    if (!isAsked || !(await this.#isRecovery(event, run))) return NOTHING;
    return { notice: toRunNotice(event, run, "run.recovered"), events: [] };
  }

  /** It failed itself before it was resumed, or the run before it failed. */
  async #isRecovery(event: MillraceEvent, run: FoundRun): Promise<boolean> {
    const { store } = this.#mill;
    if (run.resumes > 0) {
      const failed = await store.listEvents({
        runId: run.id,
        after: 0,
        before: event.seq,
        types: ["run.failed"],
        limit: 1,
      });
      if (failed.length > 0) return true;
    }
    const [before] = await store.listRuns({
      pipeline: run.pipeline,
      states: ["succeeded", "failed"],
      beforeNumber: run.number,
      limit: 1,
    });
    return before?.state === "failed";
  }

  #toEntries(
    event: MillraceEvent,
    notice: Notice,
    { targets }: ParsedNotify,
  ): readonly EnqueueEntry[] {
    return [...targets.values()].flatMap(({ name, types, pipelines }): EnqueueEntry[] => {
      const isWanted = notice.pipeline === null || (pipelines?.has(notice.pipeline) ?? true);
      if (!types.has(notice.type) || !isWanted) return [];
      const leftOut = this.#budget.take(name, event.atMs);
      if (leftOut === null) return [];
      return [
        {
          key: `${event.seq}/${name}`,
          input: { target: name, id: noticeIdOf(event, name), leftOut, notice },
          tags: { target: name, event: notice.type },
        },
      ];
    });
  }
}

type FoundRun = NonNullable<Awaited<ReturnType<MillContext["store"]["findRun"]>>>;

/** What follows from an event. */
interface Judged {
  readonly notice: Notice | undefined;
  readonly events: readonly EventDraft[];
}

const NOTHING: Judged = { notice: undefined, events: [] };

/** The queue tried as often as it may: its run stays, and can be resumed. */
function toGivenUp(tags: Readonly<Record<string, string>>, { data }: MillraceEvent): EventDraft {
  const message = data?.["message"];
  return {
    type: "notice.failed",
    data: {
      target: tags["target"] ?? "",
      event: tags["event"] ?? "",
      message: typeof message === "string" ? message : "",
    },
  };
}
