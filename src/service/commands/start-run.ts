// Starts a run that this process works on: checks everything first, then makes the run, durable before anything
// of it happens. With `from` or `only` it takes over checkpoints of the newest run with the same input.

import type { PipelineDefinition } from "../../model/definition.ts";
import { MillraceError } from "../../model/errors.ts";
import type { MillraceEvent } from "../../model/event.ts";
import { listUpstream } from "../../model/graph.ts";
import { RUN_KEY_CHARS_MAX, TAG_CHARS_MAX, TAGS_MAX } from "../../model/limits.ts";
import { isRunOver, type RunRecord } from "../../model/run.ts";
import { encodeOrThrow } from "../../engine/run-core.ts";
import { restoreRun } from "../../engine/restore.ts";
import { decideReset } from "../../policy/reuse.ts";
import { sha256Hex } from "../../std/json.ts";
import type { EncodedValue } from "../../std/value.ts";
import type { CreateRunWrite, TakenStage } from "../../storage/store.ts";
import { LiveRun } from "../live-run.ts";
import type { MillContext } from "../mill-context.ts";
import {
  checkInput,
  checkProvided,
  listFrom,
  refuseUnavailable,
  toSettings,
  type RunChoices,
} from "../prepare-run.ts";
import { runName } from "../queries/find-run.ts";

/** What a caller may say of a run it starts. */
export interface StartOptions extends RunChoices {
  /** The caller's own name for this work. Unique per pipeline: one that is active is RUN_KEY_CONFLICT, one
   *  that has ended is answered as it is, and nothing starts. */
  readonly key?: string;
  readonly tags?: Readonly<Record<string, string>>;
  /** This stage and all after it; what comes before is taken over from the newest run with the same input. */
  readonly from?: string;
  /** Id of the run that starts this one. */
  readonly parentRun?: string;
  /** Where it was started from, for people. At most 64 characters. Default "library". */
  readonly source?: string;
  readonly provide?: Readonly<Record<string, unknown>>;
  /** Told every event from the first one on; a listener added to the handle misses what happened before. */
  readonly onEvent?: (event: MillraceEvent) => void;
}

/** What to start. */
export interface StartRequest {
  readonly definition: PipelineDefinition;
  readonly input: unknown;
  readonly options: StartOptions;
}

/** A run that was started, or the one that had its key. */
export type Started =
  | { readonly kind: "live"; readonly run: LiveRun }
  | { readonly kind: "known"; readonly run: RunRecord };

/** Starts a run. Resolves once it is durable; it works on in the background. */
export async function startRun(mill: MillContext, request: StartRequest): Promise<Started> {
  const { definition, options } = request;
  refuseUnavailable(definition);
  const provide = { ...mill.provide, ...options.provide };
  checkProvided(definition, provide);
  const settings = toSettings(definition, options);
  checkLabels(options);
  const raw = encodeOrThrow(request.input, "the input");
  const inputText = await toInputText(definition, request.input);
  const inputVersion = sha256Hex(inputText).slice(0, 32);
  const takeOver = await findTakeOver(mill, { definition, options, inputVersion });
  const write: CreateRunWrite = {
    kind: "create-run",
    run: {
      id: mill.nextId(),
      pipeline: definition.name,
      definitionHash: definition.hash,
      key: options.key ?? null,
      input: raw,
      inputVersion,
      foreground: true,
      parent: options.parentRun ?? takeOver?.from ?? null,
      source: options.source ?? "library",
      tags: options.tags ?? {},
      settings: options.from === undefined ? settings : { ...settings, from: options.from },
    },
    definitionJson: definition.json,
    claim: { owner: mill.owner, leaseMs: mill.leaseMs },
    ...(takeOver === null ? {} : { takeOver }),
    events: [
      {
        type: "run.created",
        data: {
          pipeline: definition.name,
          stages: definition.stages.length,
          definition: definition.hash,
        },
      },
      { type: "run.started", data: { epoch: 1 } },
    ],
  };
  const { onEvent } = options;
  const parts = { definition, inputText, provide, ...(onEvent === undefined ? {} : { onEvent }) };
  return await create(mill, write, parts);
}

async function create(
  mill: MillContext,
  write: CreateRunWrite,
  parts: {
    readonly definition: PipelineDefinition;
    readonly inputText: EncodedValue;
    readonly provide: Readonly<Record<string, unknown>>;
    readonly onEvent?: (event: MillraceEvent) => void;
  },
): Promise<Started> {
  const result = await mill.committer.write(write);
  if (result.kind === "key-taken") {
    if (isRunOver(result.run.state)) return { kind: "known", run: result.run };
    throw keyTaken(result.run);
  }
  if (result.kind !== "done" || result.run === undefined) {
    throw new MillraceError("STORE_FAILED", `The store did not make the run: ${result.kind}.`);
  }
  const live = new LiveRun({ mill, record: result.run, ...parts });
  if (write.takeOver !== undefined) {
    const checkpoints = await mill.store.loadCheckpoints(live.id);
    const plan = decideReset(parts.definition, checkpoints.stages, { verb: "resume" });
    live.noteRestored(restoreRun(live.core, checkpoints, plan));
  }
  if (parts.onEvent !== undefined) live.onEvent(parts.onEvent);
  live.start();
  return { kind: "live", run: live };
}

function keyTaken(run: RunRecord): MillraceError {
  const name = runName(run);
  return new MillraceError(
    "RUN_KEY_CONFLICT",
    `Run ${name} of pipeline "${run.pipeline}" has the key "${run.key ?? ""}" and is ${run.state}.`,
    {
      hint: run.state === "waiting" ? "resume it" : "wait for its end, or choose another key",
      next: run.state === "waiting" ? `npx millrace resume ${name}` : `npx millrace why ${name}`,
      details: { run: run.id, name, state: run.state },
    },
  );
}

/** The input as stages read it: after its schema, so that defaults count for its version. */
export async function toInputText(
  definition: PipelineDefinition,
  input: unknown,
): Promise<EncodedValue> {
  return encodeOrThrow(await checkInput(definition, input), "the input");
}

function checkLabels(options: StartOptions): void {
  const { key, tags = {}, source = "" } = options;
  if (key !== undefined && (key.length === 0 || key.length > RUN_KEY_CHARS_MAX)) {
    throw new MillraceError(
      "OPTION_INVALID",
      `key: expected 1 to ${RUN_KEY_CHARS_MAX} characters; got ${key.length}.`,
    );
  }
  if (source.length > RUN_KEY_CHARS_MAX) {
    throw new MillraceError(
      "OPTION_INVALID",
      `source: expected at most ${RUN_KEY_CHARS_MAX} characters.`,
    );
  }
  const entries = Object.entries(tags);
  const tooLong = entries.find(
    ([name, value]) => name.length > TAG_CHARS_MAX || value.length > TAG_CHARS_MAX,
  );
  if (entries.length > TAGS_MAX || tooLong !== undefined) {
    throw new MillraceError(
      "OPTION_INVALID",
      `tags: expected at most ${TAGS_MAX}, each name and value at most ${TAG_CHARS_MAX} characters.`,
    );
  }
}

/** Stages whose checkpoints another run gives, for `from` and `only`. CHECKPOINT_MISSING names what is not there. */
async function findTakeOver(
  mill: MillContext,
  request: {
    readonly definition: PipelineDefinition;
    readonly options: StartOptions;
    readonly inputVersion: string;
  },
): Promise<NonNullable<CreateRunWrite["takeOver"]> | null> {
  const wanted = listWanted(request.definition, request.options);
  if (wanted === null || wanted.length === 0) return null;
  const [source] = await mill.store.listRuns({
    pipeline: request.definition.name,
    inputVersion: request.inputVersion,
    limit: 1,
  });
  const records = source === undefined ? [] : await mill.store.listStages(source.id);
  const usable = new Set(
    records
      .filter((record) => {
        const position = request.definition.positions.get(record.stage) ?? -1;
        const version = request.definition.stages[position]?.stageVersion;
        const over = record.state === "succeeded" || record.state === "skipped";
        return over && record.stageVersion === version;
      })
      .map((record) => record.stage),
  );
  const missing = wanted.filter((stage) => !usable.has(stage));
  if (source === undefined || missing.length > 0)
    throw missingCheckpoints(request.definition, missing);
  return {
    from: source.id,
    stages: wanted.map((stage): TakenStage => ({ stage, itemsOnly: false })),
  };
}

function listWanted(
  definition: PipelineDefinition,
  options: StartOptions,
): readonly string[] | null {
  if (options.from !== undefined) {
    const redo = listFrom(definition, options.from);
    const positions = definition.stages.flatMap((stage, index) =>
      redo.has(stage.name) ? [index] : [],
    );
    const needed = listUpstream(definition.graph, positions);
    return definition.stages.flatMap((stage, index) =>
      needed.has(index) && !redo.has(stage.name) ? [stage.name] : [],
    );
  }
  if (options.only === undefined) return null;
  const chosen = new Set(options.only);
  const direct = definition.stages.flatMap((stage, index) =>
    chosen.has(stage.name) ? (definition.graph.needs[index] ?? []) : [],
  );
  const names = [...new Set(direct)].map((index) => definition.stages[index]?.name ?? "");
  return names.filter((name) => !chosen.has(name));
}

function missingCheckpoints(
  definition: PipelineDefinition,
  missing: readonly string[],
): MillraceError {
  return new MillraceError(
    "CHECKPOINT_MISSING",
    `No earlier run of "${definition.name}" over this input has finished ${missing.join(", ")}.`,
    {
      hint: "run the whole pipeline once, or start from an earlier stage",
      details: { pipeline: definition.name, missing: [...missing] },
    },
  );
}
