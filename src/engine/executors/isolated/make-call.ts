// An attempt as a process or thread is told of it: everything that goes there is text of our own value format, so
// that what cannot cross is refused here, with its path.

import type { Attempt } from "../../attempt/attempt.ts";
import { encodeOrThrow, type RunCore } from "../../run-core.ts";
import type { EncodedValue } from "../../../std/value.ts";
import type { IsolatedCall } from "./protocol.ts";

/** Needs as text, by the needs: all items of a map get the same ones. */
const needTexts: WeakMap<object, EncodedValue> = new WeakMap();

/** The call of an attempt. VALUE_NOT_STORABLE names what cannot leave this process. */
export function makeCall(core: RunCore, attempt: Attempt, needs: unknown): IsolatedCall {
  const { definition } = core;
  const { item, stageRun, index } = attempt;
  const value = stageRun.map?.items[index];
  return {
    module: definition.module ?? "",
    pipeline: definition.name,
    stage: attempt.stage,
    item:
      item === undefined
        ? null
        : { ...item, value: encodeOrThrow(value, `item "${item.key}" of "${attempt.stage}"`) },
    needs: encodeNeeds(attempt, needs),
    runId: attempt.runId,
    attempt: attempt.attempt,
    idempotencyKey: attempt.idempotencyKey,
    scheduled: core.settings.scheduled ?? null,
    dir: attempt.dir,
    state: core.listState(),
  };
}

function encodeNeeds({ stage, item }: Attempt, needs: unknown): EncodedValue {
  const subject = `the needs of "${stage}"`;
  if (item === undefined || typeof needs !== "object" || needs === null)
    return encodeOrThrow(needs, subject);
  const known = needTexts.get(needs);
  if (known !== undefined) return known;
  const text = encodeOrThrow(needs, subject);
  needTexts.set(needs, text);
  return text;
}
