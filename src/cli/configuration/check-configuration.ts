// Checks everything that a configuration means: the environment, the file, the pipelines it lists, and what only shows
// when they are put together. Every fault of every part; one part that is wrong hides no other.

import { basename } from "node:path";
import { parseEnvironment } from "../../config/environment.ts";
import type { Settings } from "../../config/resolve.ts";
import { toConfigFault, toConfigFaults, type ConfigFault } from "../../config/show/config-fault.ts";
import type { DefinitionFault } from "../../model/definition.ts";
import { indexPipelines } from "../../service/index-pipelines.ts";
import type { Pipeline } from "../../service/pipeline.ts";
import { declareResources } from "../../service/resources/declare-resources.ts";
import type { CliContext } from "../cli-context.ts";
import { loadPipelines } from "../load/load-pipeline.ts";
import { toServeOptions } from "../service/listen-options.ts";
import { readSettings } from "../settings.ts";

/** What was found. */
export interface CheckedConfiguration {
  /** Undefined: it could not be read. */
  readonly settings: Settings | undefined;
  readonly pipelines: readonly Pipeline[];
  readonly faults: readonly ConfigFault[];
}

/** Loads and checks. Never throws for what the files say. */
export async function checkConfiguration(context: CliContext): Promise<CheckedConfiguration> {
  const inEnvironment: DefinitionFault[] = [];
  parseEnvironment(context.env, inEnvironment);
  const faults = inEnvironment.map((fault) => toConfigFault("environment", fault));
  // With faults of the environment nothing could be resolved; those of the file are told as well.
  const isEnvironmentGood = faults.length === 0;
  const asked = isEnvironmentGood ? context : { ...context, env: withoutSettings(context.env) };
  const source = basename(context.flags.config ?? "millrace.config.ts");
  try {
    const settings = await readSettings(asked);
    const pipelines =
      settings.file === null ? [] : (await loadPipelines(asked, undefined)).pipelines;
    faults.push(...(await checkTogether(asked, { settings, pipelines, source })));
    return { settings: isEnvironmentGood ? settings : undefined, pipelines, faults };
  } catch (error) {
    faults.push(...toConfigFaults(source, error));
    return { settings: undefined, pipelines: [], faults };
  }
}

interface Parts {
  readonly settings: Settings;
  readonly pipelines: readonly Pipeline[];
  readonly source: string;
}

/** What only shows when all is there: resources that differ, schedules that never tick, a certificate without its key. */
async function checkTogether(
  context: CliContext,
  { settings, pipelines, source }: Parts,
): Promise<readonly ConfigFault[]> {
  const { declareSchedules } = await import("../../service/schedules/declare-schedules.ts");
  const listen = {
    host: undefined,
    port: undefined,
    basePath: undefined,
    behindProxy: false,
  };
  const checks: readonly (() => unknown)[] = [
    () => declareResources(settings.resources.value, indexPipelines(pipelines).values()),
    ...Object.entries(settings.schedules.value).map(
      ([name, schedule]) =>
        () =>
          declareSchedules({ [name]: schedule }, context.clock.wallMs()),
    ),
    () => toServeOptions(context, settings, listen),
  ];
  return checks.flatMap((check) => {
    try {
      check();
      return [];
    } catch (error) {
      return toConfigFaults(source, error);
    }
  });
}

function withoutSettings(env: CliContext["env"]): CliContext["env"] {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.includes("MILLRACE_")));
}
