// What the hash of a definition covers: names, needs, kinds, options and versions as plain data; never code.

import type { NeedShape, StageDefinition } from "../definition.ts";
import { Secret } from "../secret.ts";
import { nameResource } from "./resource-name.ts";
import type { Json } from "../../std/json.ts";
import { redact } from "../../std/redact.ts";

type Named = { readonly name: string };

/** A stage as data. Functions appear as `true`: that there is one, not which. */
export function describeStage(
  stage: Omit<StageDefinition, "stageVersion">,
  all: readonly Named[],
): Readonly<Record<string, Json>> {
  return {
    kind: stage.kind,
    needs: Object.fromEntries(
      stage.needs.map((need) => [need.name, describeNeed(need.shape, all)]),
    ),
    trigger: stage.trigger,
    critical: stage.critical,
    soft: stage.soft,
    when: stage.when !== null,
    retry: describePlain(stage.retry),
    timeoutMs: stage.timeoutMs,
    queueTimeoutMs: stage.queueTimeoutMs,
    deadlineMs: stage.deadlineMs,
    persist: stage.persist,
    idempotent: stage.idempotent,
    version: stage.version,
    verify: stage.verify !== null,
    // Left out where there is none, so that a definition without it keeps the hash it always had.
    ...(stage.cache === null ? {} : { cache: describePlain(stage.cache) }),
    ...(stage.record === null ? {} : { record: true }),
    ...(stage.runIn === "main" ? {} : { runIn: stage.runIn }),
    ...(stage.classify === null ? {} : { classify: true }),
    ...(stage.uses === null ? {} : { uses: describeUses(stage.uses) }),
    map: stage.map === null ? null : describeMap(stage.map, all),
    command: stage.command === null ? null : describePlain(stage.command),
  };
}

function describeNeed(shape: NeedShape, all: readonly Named[]): Json {
  switch (shape.kind) {
    case "stage":
      return `${shape.required ? "required " : ""}${all[shape.stage]?.name ?? "?"}`;
    case "input":
      return "(input)";
    case "provided":
      return `(provided ${shape.name})`;
    case "list":
      return shape.parts.map((part) => describeNeed(part, all));
  }
}

function describeMap(map: NonNullable<StageDefinition["map"]>, all: readonly Named[]): Json {
  const { over, follows: _follows, ...rest } = map;
  const described = over.kind === "need" ? describeNeed(over.shape, all) : `(${over.kind})`;
  return { ...(describePlain(rest) as Record<string, Json>), over: described };
}

/** Which resources, not their numbers: a limit that changes makes no other definition. */
function describeUses(uses: NonNullable<StageDefinition["uses"]>): Json {
  return typeof uses === "function" ? true : uses.map(nameResource);
}

/** Data as it is, without secrets, since it is stored; functions as true, regular expressions as text. */
function describePlain(value: unknown): Json {
  if (typeof value === "string") return redact(value);
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "function") return true;
  if (value instanceof RegExp) return String(value);
  if (Array.isArray(value)) return value.map((entry: unknown) => describePlain(entry));
  if (value instanceof Secret) return value.shown;
  if (typeof value !== "object") return null;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, describePlain(entry)]),
  );
}
