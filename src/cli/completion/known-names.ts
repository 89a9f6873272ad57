// Names for completion: pipelines and schedules of the configuration, runs and schedules of the store. The store is read
// in the mode that makes no file. What cannot be read has no names.

import { basename } from "node:path";
import type { Settings } from "../../config/resolve.ts";
import { openReader, type StoreReader } from "../../service/queries/open-reader.ts";
import { findRun, runName } from "../../service/queries/find-run.ts";
import type { Pipeline } from "../../service/pipeline.ts";
import type { CliContext } from "../cli-context.ts";
import { listConfigured } from "../load/find-pipelines.ts";
import { loadTarget } from "../load/load-pipeline.ts";
import { readSettings } from "../settings.ts";
import type { Candidate, NameSources } from "./find-candidates.ts";

/** Runs and schedules that are offered. */
const NAMES_MAX = 50;

/** Those of a project. */
export function makeNameSources(context: CliContext): NameSources {
  let read: Promise<Settings> | undefined;
  const settings = (): Promise<Settings> => (read ??= readSettings(context));
  const ask = async <T>(question: (store: StoreReader) => Promise<T>): Promise<T> => {
    const { store: url } = await settings();
    const store = await openReader(url.value, { mode: "plan" });
    try {
      return await question(store);
    } finally {
      await store.close();
    }
  };
  return {
    pipelines: async () =>
      pipelinesOf(await settings()).map(({ name }) => ({ word: name, about: "pipeline" })),
    stages: async (of) => {
      if ("run" in of) {
        const { pipeline: name } = await ask((store) => findRun(store, of.run));
        return stagesOf(pipelinesOf(await settings()).find((one) => one.name === name));
      }
      return stagesOf((await loadTarget(context, of.pipeline)).pipeline);
    },
    schedules: async () => {
      const declared = Object.keys((await settings()).schedules.value);
      const stored = await ask(async (store) =>
        (await store.listRecords({ collection: "schedules", limit: NAMES_MAX })).map(
          ({ key }) => key,
        ),
      ).catch(() => []);
      const names = [...new Set([...declared, ...stored])];
      return names.map((word) => ({ word, about: "schedule" }));
    },
    resources: async () => {
      const { declareConfigured } = await import("../load/declare-configured.ts");
      const found = declareConfigured(await settings()).list();
      return found.map(({ terms }) => ({ word: terms.name, about: "resource" }));
    },
    runs: () =>
      ask(async (store) =>
        (await store.listRuns({ limit: NAMES_MAX })).map((run) => ({
          word: runName(run),
          about: `${run.pipeline} ${run.state}`,
        })),
      ),
  };
}

function pipelinesOf({ file, pipelines }: Settings): readonly Pipeline[] {
  if (file === null) return [];
  return listConfigured(pipelines, basename(file)).map(({ pipeline }) => pipeline);
}

function stagesOf(pipeline: Pipeline | undefined): readonly Candidate[] {
  const stages = pipeline?.definition.stages ?? [];
  return stages.map(({ name }) => ({ word: name, about: "stage" }));
}
