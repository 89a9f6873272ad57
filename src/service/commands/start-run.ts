// Starts a run that this process works on: checks everything first, then makes the run, durable before anything
// of it happens. With `from` or `only` it takes over checkpoints of the newest run with the same input.

import type { PipelineDefinition } from "../../model/definition.ts";
import { MillraceError } from "../../model/errors.ts";
import type { MillraceEvent } from "../../model/event.ts";
import { isRunOver, type RunRecord } from "../../model/run.ts";
import { encodeOrThrow } from "../../engine/run-core.ts";
import type { EncodedValue } from "../../std/value.ts";
import type { CreateRunWrite } from "../../storage/write.ts";
import type { LiveRun } from "../live-run.ts";
import { findTracing } from "../listeners/tracing.ts";
import { passGate } from "../health/pass-gate.ts";
import type { MillContext } from "../mill-context.ts";
import {
  checkProvided,
  refuseThreadsWithoutModule,
  toSettings,
  type RunChoices,
} from "../prepare-run.ts";
import { runName } from "../queries/find-run.ts";
import { beginRun, whileOpen } from "./begin-run.ts";
import { checkLabels } from "./check-labels.ts";
import { createInPlace, lostRace, type NewPlace } from "./claim-place.ts";
import { toInputText, toInputVersion } from "./input-text.ts";
import { interruptAbandoned } from "./interrupt-abandoned.ts";
import { readTakenOver, selectTakeOver, type Selection } from "./take-over.ts";

/** What a caller may say of a run it starts. */
export interface StartOptions extends RunChoices {
  /** The caller's own name for this work. Unique per pipeline: one that is active is RUN_KEY_CONFLICT, one
   *  that has ended is answered as it is, and nothing starts. */
  readonly key?: string;
  readonly tags?: Readonly<Record<string, string>>;
  /** This stage and all after it; what comes before is taken over from the newest run with the same input. */
  readonly from?: string;
  /** True: starts although the health of its pipeline (`gate: "health"`) is degraded or unstable, which is kept with the
   *  run. Default false: HEALTH_REFUSED. */
  readonly override?: boolean;
  /** Id of the run that starts this one. */
  readonly parentRun?: string;
  /** Where it was started from, for people. At most 512 characters. Default "library". */
  readonly source?: string;
  readonly provide?: Readonly<Record<string, unknown>>;
  /** Told every event from the first one on; a listener added to the handle misses what happened before. */
  readonly onEvent?: (event: MillraceEvent) => void;
  /** Ends the wait for a place in a full pipeline (`onBusy: "queue"`): the run is cancelled, and the start rejects
   *  with SHUTDOWN. Once the run has begun it changes nothing. */
  readonly signal?: AbortSignal;
  /** Told once when the run has to wait for a place: the run itself, and one that has a place. */
  readonly onWait?: (waiting: RunRecord, holder: RunRecord) => void;
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
  refuseThreadsWithoutModule(definition);
  const provide = { ...mill.provide, ...options.provide };
  checkProvided(definition, provide);
  toSettings(definition, options);
  checkLabels(options);
  const given = encodeOrThrow(request.input, "the input");
  const inputText = await toInputText(definition, request.input);
  const inputVersion = toInputVersion(inputText);
  const selection = await selectTakeOver(mill, { definition, options, inputVersion });
  const { key, override = false, source = "library" } = options;
  const overridden = await passGate(mill, definition, { override, source, keys: [key] });
  const write = toCreate(mill, { definition, options, given, inputText, selection, overridden });
  return await whileOpen(mill, () =>
    create(mill, { ...options, definition, write }, { inputText, provide, selection }),
  );
}

interface CreateParts {
  readonly definition: PipelineDefinition;
  readonly options: StartOptions;
  /** As the caller gave it. */
  readonly given: EncodedValue;
  /** As stages read it. */
  readonly inputText: EncodedValue;
  readonly selection: Selection | null;
  readonly overridden: string | null;
}

function toCreate(mill: MillContext, parts: CreateParts): CreateRunWrite {
  const { definition, options, given, inputText, selection, overridden } = parts;
  const settings = toSettings(definition, options);
  const { from } = options;
  const takeOver = selection?.takeOver;
  return {
    kind: "create-run",
    run: {
      id: mill.nextId(),
      pipeline: definition.name,
      definitionHash: definition.hash,
      key: options.key ?? null,
      input: given,
      inputVersion: toInputVersion(inputText),
      foreground: true,
      parent: options.parentRun ?? takeOver?.from ?? null,
      source: options.source ?? "library",
      tags: options.tags ?? {},
      settings: {
        ...settings,
        ...findTracing()?.current(),
        ...(selection === null ? {} : { only: selection.only }),
        ...(overridden === null ? {} : { override: overridden }),
        ...(from === undefined ? {} : { from }),
      },
    },
    definitionJson: definition.json,
    claim: { owner: mill.owner, leaseMs: mill.leaseMs },
    ...(takeOver === undefined
      ? {}
      : { takeOver: { from: takeOver.from, stages: takeOver.stages } }),
    events: [
      {
        type: "run.created",
        data: {
          pipeline: definition.name,
          stages: definition.stages.length,
          definition: definition.hash,
          ...(takeOver === undefined ? {} : { parent: takeOver.from }),
          ...(overridden === null ? {} : { override: overridden }),
        },
      },
      { type: "run.started", data: { epoch: 1 } },
    ],
  };
}

async function create(
  mill: MillContext,
  place: NewPlace,
  rest: {
    readonly inputText: EncodedValue;
    readonly provide: Readonly<Record<string, unknown>>;
    readonly selection: Selection | null;
  },
): Promise<Started> {
  const { definition, onEvent } = place;
  const { selection } = rest;
  const parts = { ...rest, definition, onEvent };
  return await createInPlace(mill, place, async (result, claimed) => {
    if (result.kind === "key-taken") {
      const rival = await interruptAbandoned(mill, result.run);
      if (isRunOver(rival.state)) return { kind: "known", run: rival };
      throw keyTaken(rival);
    }
    // While it waited for a place somebody else cancelled it, or took it.
    if (result.kind === "conflict" && result.run !== null) {
      if (isRunOver(result.run.state)) return { kind: "known", run: result.run };
      throw lostRace(result.run);
    }
    if (claimed === null)
      throw new MillraceError("STORE_FAILED", `The store did not make the run: ${result.kind}.`);
    if (selection === null) return { kind: "live", run: beginRun(mill, { ...parts, claimed }) };
    const found = await readTakenOver(mill, claimed.run.id, definition);
    const kept = { ...found, redo: selection.takeOver.redo };
    return { kind: "live", run: beginRun(mill, { ...parts, claimed, kept }) };
  });
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
