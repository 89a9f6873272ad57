// How a mill is opened.

import type { EventSettings } from "../../model/compile/event-settings.ts";
import type { NotifySettings } from "../../model/compile/notify-settings.ts";
import type { ScheduleSettings } from "../../model/schedule/parse-schedule.ts";
import type { ResourceSettings } from "../../model/compile/resource-settings.ts";
import type { LeaseTerms } from "../../model/lease.ts";
import type { Clock } from "../../std/clock.ts";
import type { Machine } from "../../std/machine.ts";
import type { Random } from "../../std/random.ts";
import type { Pipeline } from "../pipeline.ts";

/** How a mill is opened. */
export interface OpenOptions {
  /** `sqlite:PATH` or `memory:`. Default "sqlite:.millrace/store.db". */
  readonly store?: string;
  /** Pipelines that runs may be started, resumed or rerun of. */
  readonly pipelines?: readonly Pipeline<never, unknown>[];
  /** Values for `provided(...)` needs. */
  readonly provide?: Readonly<Record<string, unknown>>;
  /** Resources by name: over what pipelines declare, or declared here for stages that name them. */
  readonly resources?: ResourceSettings;
  /** How many may read all events, which types are live only, and where stored ones are written as lines. */
  readonly events?: EventSettings;
  /** Schedules by name. Opening starts none of them; `startScheduler` and `millrace serve` do. Default none. */
  readonly schedules?: ScheduleSettings;
  /** Who is told when runs fail and pipelines are blocked. Whoever works delivers notices; `startNotices` and `millrace
   *  serve` make them. Default: nobody. */
  readonly notify?: NotifySettings;
  /** "read": questions only; a store that does not exist is STORE_NOT_FOUND. Default "write". */
  readonly mode?: "write" | "read";
  /** Attempts in flight in this process, 1 to 10,000. Default 32. */
  readonly concurrency?: number;
  /** Worker threads for stages with `runIn: "thread"`, 1 to 256, started when one is needed. Default: one per
   *  processor. */
  readonly threads?: number;
  /** Wait for a busy SQLite file, ms. Default 5 s. */
  readonly busyTimeoutMs?: number;
  /** Time an aborted attempt has to stop, ms. Default 5 s. */
  readonly graceMs?: number;
  /** Time a stuck attempt keeps its slot, ms. Default 60 s. */
  readonly stuckMs?: number;
  /** Longest time of a stage's `health()` probe, ms, 1 to 600,000. Default 5 s. */
  readonly probeMs?: number;
  /** Variables that command stages may be given from. Default: this process's own. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Times of leases, ms. Terms that a healthy process could not keep are OPTION_INVALID. Default: 30 s, renewed
   *  every 5 s. */
  readonly lease?: Partial<LeaseTerms>;
  /** Told what is odd and was dealt with. Default: a warning of the process. */
  readonly onWarning?: (message: string) => void;
  /** Modules that a process or thread for one attempt imports first. Default: none. */
  readonly childImports?: readonly string[];
  /** Name of this process among those that work. Default: its host and pid. */
  readonly workerName?: string;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly machine?: Machine;
}
