// A wait for a resource as a row tells it: what stood in the way when it was stored. How the resource stands now is
// asked by `find-gate-blocker.ts`.

import type { Blocker } from "../../model/blocker.ts";
import type { StageRecord } from "../../model/checkpoint.ts";
import {
  GATE_KINDS,
  nameGate,
  parseGateBlocker,
  type GateBlocker,
} from "../../model/resource/gate-wait.ts";

const TEXTS: Readonly<Record<GateBlocker["kind"], string>> = {
  limit: "waits for a permit of",
  quota: "waits for the quota of",
  breaker: "waits for the breaker of",
  budget: "waits for the retry budget of",
};

/** What the row of a stage or item that waits for a resource says; undefined: it waits for something else. */
export function toGateBlocker(
  record: Pick<StageRecord, "blocker" | "dueAtMs" | "trail">,
): Blocker | undefined {
  const gate = parseGateBlocker(record.blocker);
  if (gate === null) return undefined;
  const { dueAtMs, trail } = record;
  const sinceMs = trail?.now?.sinceMs;
  const ahead = trail?.now?.ahead ?? null;
  return {
    ...gateFields(gate),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(ahead === null ? {} : { ahead }),
    ...(dueAtMs === null ? {} : { expectedAtMs: dueAtMs }),
    basis: dueAtMs === null ? "unknown" : "estimate",
    text: `${TEXTS[gate.kind]} resource "${nameGate(gate)}"`,
  };
}

/** Fields by which a blocker names its gate. */
export function gateFields(gate: GateBlocker): Pick<Blocker, "kind" | "name" | "key"> {
  const { kind, key } = gate;
  return { kind, name: nameGate(gate), ...(key === null ? {} : { key }) };
}

/** The gate that a blocker names; undefined: it is no wait for a resource, or nobody knows of which. */
export function findGate({ kind, name, key }: Blocker): GateBlocker | undefined {
  const gateKind = GATE_KINDS.find((one) => one === kind);
  // A run says for what kind it was parked; where no row is left that says more, that is all.
  if (gateKind === undefined || name === kind) return undefined;
  if (key === undefined) return { kind: gateKind, resource: name, key: null };
  return { kind: gateKind, resource: name.slice(0, -key.length - 1), key };
}
