// The gauges: read when somebody asks, from what the store maintains, so that asking costs the same however many runs
// there are. Queues, workers, resources, the log, and how far behind this process is.

import {
  FIGURE_PIPELINES_MAX,
  FIGURE_RESOURCE_KEYS_MAX,
  PAGE_ROWS_MAX,
} from "../../model/limits.ts";
import { RUN_STATES } from "../../model/run.ts";
import { readFileBytes } from "../../std/figures/disk.ts";
import { findStorePath, isMemoryUrl } from "../../storage/open-store.ts";
import type { ResourceAddress, ResourceRecord } from "../../storage/permits/permit-write.ts";
import type { EventBus } from "../feed/event-bus.ts";
import type { MillContext } from "../mill-context.ts";
import { toRunCounts } from "../queries/queue/queue-stats.ts";
import { listWorkers } from "../queries/list-workers.ts";
import { schedulersOf } from "../schedules/running-schedulers.ts";
import { listFindings } from "../watchdog/list-findings.ts";
import type { FigureName, Reading } from "./figure.ts";
import type { LabelBound } from "./label-bound.ts";

/** What is read. */
export interface StoreFiguresParts {
  /** What `openMillrace` gave. */
  readonly facade: object;
  readonly mill: MillContext;
  readonly bus: EventBus;
  readonly pipelines: LabelBound;
  readonly resources: LabelBound;
}

/** Reads every gauge. What several names share is added up. */
export async function readStoreFigures(parts: StoreFiguresParts): Promise<readonly Reading[]> {
  const read = [
    await readQueues(parts),
    await readWorkers(parts),
    await readResources(parts),
    await readLog(parts),
    await readWatch(parts),
    await readEvents(parts),
  ];
  return sumUp(read.flat());
}

async function readQueues({ mill, pipelines }: StoreFiguresParts): Promise<readonly Reading[]> {
  const { store } = mill;
  const found: Reading[] = [];
  let looked = 0;
  for (const [name, stored] of await store.countRuns()) {
    const counts = toRunCounts([stored]);
    const pipeline = pipelines.take(name);
    for (const state of RUN_STATES)
      found.push({ name: "millrace_runs", labels: { pipeline, state }, value: counts[state] });
    found.push({ name: "millrace_queue_depth", labels: { pipeline }, value: counts.queued });
    // Of a queue beyond the bound it is not looked how old it is.
    const isLooked = counts.queued > 0 && looked < FIGURE_PIPELINES_MAX;
    if (isLooked) looked += 1;
    const next = isLooked ? await store.findNextQueued(name) : undefined;
    const dueMs = next === undefined ? 0 : Math.max(0, store.nowMs() - next.dueAtMs);
    found.push({ name: OLDEST_DUE, labels: { pipeline }, value: dueMs / 1_000 });
  }
  return found;
}

const OLDEST_DUE: FigureName = "millrace_queue_oldest_due_seconds";

async function readWorkers({ facade }: StoreFiguresParts): Promise<readonly Reading[]> {
  const workers = await listWorkers(facade);
  const live = workers.filter(({ alive }) => alive !== "gone");
  const states = { yes: 0, silent: 0, gone: 0 };
  for (const { alive } of workers) states[alive] += 1;
  return [
    { name: "millrace_workers", labels: { state: "alive" }, value: states.yes },
    { name: "millrace_workers", labels: { state: "silent" }, value: states.silent },
    { name: "millrace_workers", labels: { state: "lost" }, value: states.gone },
    { name: "millrace_worker_slots", labels: {}, value: sum(live.map(({ slots }) => slots)) },
    {
      name: "millrace_worker_slots_used",
      labels: {},
      value: sum(live.map(({ slotsUsed }) => slotsUsed)),
    },
  ];
}

async function readResources({ mill, resources }: StoreFiguresParts): Promise<readonly Reading[]> {
  const found: Reading[] = [];
  for (const { terms } of mill.resources.list())
    found.push(...toReadings(resources.take(terms.name)));
  let after: ResourceAddress | undefined;
  for (let keys = 0; keys < FIGURE_RESOURCE_KEYS_MAX; keys += PAGE_ROWS_MAX) {
    const page: readonly ResourceRecord[] = await mill.store.listResources({
      limit: PAGE_ROWS_MAX,
      ...(after === undefined ? {} : { after }),
    });
    for (const record of page) found.push(...toReadings(resources.take(record.resource), record));
    after = page.at(-1);
    if (page.length < PAGE_ROWS_MAX) break;
  }
  return found;
}

/** Without a record: nobody has used it yet. */
function toReadings(resource: string, record?: ResourceRecord): readonly Reading[] {
  const stands = record?.state.breaker?.state;
  return [
    { name: "millrace_resource_held", labels: { resource }, value: record?.held ?? 0 },
    { name: "millrace_resource_waiting", labels: { resource }, value: record?.waiting ?? 0 },
    ...BREAKER_STATES.map((state) => ({
      name: "millrace_resource_breakers" as const,
      labels: { resource, state },
      value: stands === state ? 1 : 0,
    })),
  ];
}

const BREAKER_STATES = ["closed", "half_open", "open"] as const;

async function readLog({ mill }: StoreFiguresParts): Promise<readonly Reading[]> {
  const { url } = mill.store;
  const value = isMemoryUrl(url) ? 0 : await readFileBytes(`${findStorePath(url)}-wal`);
  return [{ name: "millrace_store_log_bytes", labels: {}, value }];
}

async function readWatch({ facade, mill }: StoreFiguresParts): Promise<readonly Reading[]> {
  const findings = await listFindings(facade);
  const up = findings === null ? 0 : 1;
  const lateMs = Math.max(0, ...[...schedulersOf(mill)].map((each) => each.lateMs));
  return [
    { name: "millrace_watchdog_up", labels: {}, value: up },
    ...(findings ?? []).map(({ rule }) => ({
      name: "millrace_watchdog_findings" as const,
      labels: { rule },
      value: 1,
    })),
    { name: "millrace_scheduler_late_seconds", labels: {}, value: lateMs / 1_000 },
  ];
}

async function readEvents({ mill, bus }: StoreFiguresParts): Promise<readonly Reading[]> {
  const [last] = await mill.store.listEvents({ after: 0, newestFirst: true, limit: 1 });
  // Numbers may have gaps where events were deleted: then it says more than there is, for a moment.
  const behind = Math.max(0, (last?.seq ?? 0) - bus.lastSeq);
  return [
    { name: "millrace_events_behind", labels: {}, value: behind },
    { name: "millrace_event_subscribers", labels: {}, value: bus.subscriberCount },
  ];
}

/** Of queues that share a name the oldest counts; all else is added up. */
function sumUp(readings: readonly Reading[]): readonly Reading[] {
  const found = new Map<string, Reading>();
  for (const reading of readings) {
    const address = JSON.stringify([reading.name, reading.labels]);
    const value = found.get(address)?.value ?? 0;
    const isOldest = reading.name === OLDEST_DUE;
    found.set(address, {
      ...reading,
      value: isOldest ? Math.max(value, reading.value) : value + reading.value,
    });
  }
  return [...found.values()];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
