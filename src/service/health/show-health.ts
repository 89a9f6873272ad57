// Everything that health says, in one answer: the store, every pipeline, the probes of stages, resources, and what a
// watchdog has found. Whatever of it can not be read is a fault of its own and hides nothing else.

import type { DeclaredResources } from "../../engine/limits/declared-resources.ts";
import { isPlainRecord } from "../../model/compile/option-reader.ts";
import type { PipelineDefinition } from "../../model/definition.ts";
import { messageOf } from "../../policy/failure.ts";
import type { Finding } from "../../policy/watchdog/finding.ts";
import type { Clock } from "../../std/clock.ts";
import type { Store } from "../../storage/store.ts";
import { listStoredFindings } from "../watchdog/list-findings.ts";
import {
  toFindingView,
  toHealthView,
  type HealthView,
  type PipelineHealthView,
  type ProbeView,
  type ResourceProbeView,
} from "../views/health-view.ts";
import { checkResources } from "./check-resources.ts";
import { probeStages } from "./probe-stages.ts";
import { listHealthNames, readHealth, type PipelineHealth } from "./read-health.ts";

/** What is asked of health. */
export interface HealthOptions {
  /** Only of this pipeline. Default: all. */
  readonly pipeline?: string;
  /** Whether stages are asked. Default true. */
  readonly probes?: boolean;
  /** Longest time of one probe, ms. Default 5 s. */
  readonly probeMs?: number;
}

/** What it is asked of. */
export interface HealthSources {
  /** Null: there is none yet, which is no fault. */
  readonly store: Store | null;
  readonly definitions: ReadonlyMap<string, PipelineDefinition>;
  readonly resources: Pick<DeclaredResources, "list">;
  readonly clock: Clock;
  /** The watchdog of this process. Default: there is none, and what another one has written is read. */
  readonly watch?: { findings(): readonly Finding[] } | null;
}

/** Reads health. Never rejects for what it finds. */
export async function showHealth(
  sources: HealthSources,
  options: HealthOptions = {},
): Promise<HealthView> {
  const { definitions, clock } = sources;
  const { pipeline, probes = true, probeMs } = options;
  const asked = [...definitions.values()].filter(
    ({ name }) => probes && (pipeline === undefined || name === pipeline),
  );
  const stages = probeStages(asked, { clock, ...(probeMs === undefined ? {} : { probeMs }) });
  const found = await readStored(sources, pipeline);
  const view = { ...found, stages: await stages };
  return { schema: "millrace.health/1", healthy: isGood(view), ...view };
}

type Stored = Pick<HealthView, "store" | "pipelines" | "resources" | "findings">;

async function readStored(
  { store, definitions, resources, watch = null }: HealthSources,
  pipeline: string | undefined,
): Promise<Stored> {
  if (store === null) return { store: GOOD, pipelines: [], resources: [], findings: [] };
  const faults: string[] = [];
  const tryRead = async <T>(read: () => Promise<readonly T[]>): Promise<readonly T[]> => {
    try {
      return await read();
    } catch (error) {
      faults.push(messageOf(error));
      return [];
    }
  };
  const pipelines = await tryRead(() => readPipelines(store, definitions, pipeline));
  const checked: readonly ResourceProbeView[] =
    pipeline === undefined ? await tryRead(() => checkResources(store, resources)) : [];
  const found =
    watch?.findings() ?? (await tryRead(async () => (await listStoredFindings(store)) ?? []));
  const [fault] = faults;
  const view: ProbeView = fault === undefined ? GOOD : { status: "fail", message: fault };
  return { store: view, pipelines, resources: checked, findings: found.map(toFindingView) };
}

const GOOD: ProbeView = Object.freeze({ status: "ok" });

async function readPipelines(
  store: Store,
  definitions: HealthSources["definitions"],
  pipeline: string | undefined,
): Promise<readonly PipelineHealthView[]> {
  const names =
    pipeline === undefined ? await listHealthNames(store, definitions.keys()) : [pipeline];
  const views: PipelineHealthView[] = [];
  for (const name of names) {
    const health = await readHealth(store, name);
    views.push(toHealthView(health, await findGate(store, definitions, health)));
  }
  return views;
}

/** Of the pipeline as it is known here, else as its last run had it. */
async function findGate(
  store: Store,
  definitions: HealthSources["definitions"],
  { pipeline, last }: PipelineHealth,
): Promise<PipelineHealthView["gate"]> {
  const known = definitions.get(pipeline);
  if (known !== undefined || last === null) return known?.gate;
  const text = await store.findDefinition(last.definitionHash);
  if (text === undefined) return undefined;
  // Stored definitions are JSON of our own making.
  const stored: unknown = JSON.parse(text);
  return isPlainRecord(stored) && stored["gate"] === "health" ? "health" : "off";
}

function isGood({
  store,
  pipelines,
  stages,
  resources,
  findings,
}: Omit<HealthView, "schema" | "healthy">): boolean {
  return (
    [store, ...stages, ...resources].every(({ status }) => status === "ok") &&
    pipelines.every(({ verdict }) => verdict === "healthy") &&
    findings.length === 0
  );
}
