// The resources of a process as its runs meet them: what is declared, the gate, and where permits come from.

import type { EventDraft } from "../../model/event.ts";
import type { ResourceUse } from "../../model/resource/resource.ts";
import type { Journal } from "../ledger/journal.ts";
import type { DeclaredResources } from "./declared-resources.ts";
import type { Gate } from "./gate.ts";
import type { BoundUse, PermitSource } from "./permit-request.ts";

/** A run that uses resources. */
export interface RunAtGate {
  readonly runId: string;
  readonly journal: Journal | null;
  /** Hears what its calls do to their resources; of durable runs the journal tells it, when it is stored. */
  readonly tell: (draft: EventDraft) => void;
}

/** What a run asks of its process. */
export interface Limits {
  readonly gate: Gate;
  /** The use with its declaration. RESOURCE_UNKNOWN, RESOURCE_CONFLICT. */
  bind(use: ResourceUse): BoundUse;
  /** Where the permits of one run come from. `journal` null: the run is in memory. */
  open(run: RunAtGate): PermitSource;
  /** What an open breaker means where its resource does not say. */
  readonly whenOpen: "wait" | "fail";
}

/** The limits of durable runs: permits are rows of their store. */
export function makeDurableLimits(gate: Gate, resources: DeclaredResources): Limits {
  return {
    gate,
    bind: (use) => resources.bind(use),
    open: ({ runId, journal }) => {
      if (journal === null) throw new TypeError(`Run ${runId} has no journal.`);
      return {
        nowMs: () => journal.nowMs(),
        take: (asked) => journal.takePermits(asked),
        release: (returned) => journal.releasePermits(returned),
      };
    },
    whenOpen: "wait",
  };
}
