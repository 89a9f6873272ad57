// Topics of which each read gives the whole: what is told is still only what is different from the read before.

import type { MillraceEvent } from "../../../../model/event.ts";
import { PAGE_ROWS_MAX } from "../../../../model/limits.ts";
import { listFailureGroups } from "../../../failures/read-failures.ts";
import { readSnapshot } from "../../../health/read-snapshot.ts";
import type { MillContext } from "../../../mill-context.ts";
import { listQueued } from "../../../queries/queue/list-queued.ts";
import { listWorkers } from "../../../queries/list-workers.ts";
import { readQueueStats } from "../../../queries/queue/queue-stats.ts";
import { listResources } from "../../../resources/list-resources.ts";
import { listSchedules } from "../../../schedules/list-schedules.ts";
import type { EntrySource } from "../entry-source.ts";
import type { WHOLE_TOPICS } from "../topic-name.ts";

/** Who reads. */
export interface SourceScene {
  readonly mill: MillContext;
  /** The mill's own face, by which its workers are asked for. */
  readonly facade: object;
}

type Entries = readonly (readonly [id: string, value: unknown])[];

interface Whole {
  readonly nouns: readonly string[];
  /** Types of these nouns that change nothing of it. */
  readonly except?: RegExp;
  readonly everyMs: number | null;
  read(scene: SourceScene): Promise<Entries>;
}

/** A topic that is read as a whole. */
export type WholeTopic = Exclude<(typeof WHOLE_TOPICS)[number], "runs">;

/** Resources that a topic shows. */
const RESOURCES_MAX = 200;

const WHOLES: Readonly<Record<WholeTopic, Whole>> = {
  overview: {
    nouns: ["run", "stage", "schedule", "health", "breaker", "resource", "watchdog", "operation"],
    except: /^stage\.(?:logged|progressed|emitted)$/,
    everyMs: 5_000,
    read: readOverview,
  },
  queue: { nouns: ["run"], everyMs: 2_000, read: readQueue },
  resources: {
    nouns: ["breaker", "resource", "run", "stage", "item"],
    except: /^stage\.(?:logged|progressed|emitted)$/,
    everyMs: 1_000,
    read: async ({ mill }) =>
      (await listResources(mill, { limit: RESOURCES_MAX })).resources.map((view) => [
        `resource/${view.name}/${view.key ?? ""}`,
        view,
      ]),
  },
  schedules: {
    nouns: ["schedule", "run"],
    everyMs: 30_000,
    read: async ({ mill }) =>
      (await listSchedules(mill, { limit: PAGE_ROWS_MAX })).schedules.map((view) => [
        `schedule/${view.name}`,
        view,
      ]),
  },
  failures: {
    nouns: ["run", "stage", "item", "failure"],
    except: /^(?:run|stage|item)\.(?!failed$)/,
    // A trend goes on while nothing fails.
    everyMs: 60_000,
    read: async ({ mill }) =>
      (await listFailureGroups(mill.store, { limit: PAGE_ROWS_MAX })).groups.map((view) => [
        `failure/${view.fingerprint}`,
        view,
      ]),
  },
  workers: {
    nouns: [],
    everyMs: 1_000,
    read: async ({ facade }) =>
      (await listWorkers(facade)).map((view) => [`worker/${view.id}`, view]),
  },
};

/** The source of one of them. */
export function makeWholeSource(scene: SourceScene, topic: WholeTopic): EntrySource {
  const whole = WHOLES[topic];
  const { nouns, except, everyMs } = whole;
  return {
    everyMs,
    touch: ({ type }: MillraceEvent) => {
      const noun = type.slice(0, type.indexOf("."));
      return nouns.includes(noun) && except?.test(type) !== true ? "all" : null;
    },
    read: async () => new Map(await whole.read(scene)),
  };
}

async function readOverview({ mill }: SourceScene): Promise<Entries> {
  const view = await readSnapshot(mill);
  const pipelines = view.pipelines.map((each) => [`pipeline/${each.pipeline}`, each] as const);
  const running = view.running.map((each) => [`running/${each.id}`, each] as const);
  const recent = view.recent.map((each) => [`recent/${each.id}`, each] as const);
  const waiting = view.waiting.map((each) => [`waiting/${each.run}`, each] as const);
  const next = view.next.map((each) => [`next/${each.schedule}`, each] as const);
  return [...pipelines, ...running, ...recent, ...waiting, ...next];
}

async function readQueue({ mill }: SourceScene): Promise<Entries> {
  const { pipelines, waitsFor, ...counts } = await readQueueStats(mill.store);
  const { queued } = await listQueued(mill.store, {});
  return [
    ["counts", counts],
    ["waiting", waitsFor],
    ...pipelines.map((each) => [`pipeline/${each.pipeline}`, each] as const),
    ...queued.map((each) => [`queued/${each.run.id}`, each] as const),
  ];
}
