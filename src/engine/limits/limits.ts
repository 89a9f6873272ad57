// The resources of a process as its runs meet them: what is declared, the gate, and where permits come from.

import type { ResourceUse } from "../../model/resource.ts";
import { MillraceError } from "../../model/errors.ts";
import type { Clock } from "../../std/clock.ts";
import type { Random } from "../../std/random.ts";
import type { Journal } from "../journal.ts";
import type { DeclaredResources } from "./declared-resources.ts";
import { Gate } from "./gate.ts";
import { memoryName, MemoryPermitTable } from "./memory-source.ts";
import type { BoundUse, PermitSource } from "./permit-request.ts";

/** What a run asks of its process. */
export interface Limits {
  readonly gate: Gate;
  /** The use with its declaration. RESOURCE_UNKNOWN, RESOURCE_CONFLICT. */
  bind(use: ResourceUse): BoundUse;
  /** Where the permits of one run come from. `journal` null: the run is in memory. */
  open(run: { readonly runId: string; readonly journal: Journal | null }): PermitSource;
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

interface MemoryLimits extends Limits {
  readonly table: MemoryPermitTable;
}

const ofClocks = new WeakMap<Clock, MemoryLimits>();

/** The limits of runs in memory on one clock: all of them share a resource by its value. */
export function findMemoryLimits(clock: Clock, random: Random): MemoryLimits {
  let limits = ofClocks.get(clock);
  if (limits === undefined) {
    limits = makeMemoryLimits(clock, random);
    ofClocks.set(clock, limits);
  }
  return limits;
}

function makeMemoryLimits(clock: Clock, random: Random): MemoryLimits {
  const table = new MemoryPermitTable(clock);
  return {
    table,
    gate: new Gate(clock, random),
    bind: (use) => {
      const { declaration } = use;
      if (declaration !== null) return { ...use, declaration, resource: memoryName(declaration) };
      throw new MillraceError("RESOURCE_UNKNOWN", `There is no resource "${use.resource}".`, {
        hint: "a run in memory has no configuration: use a resource(...) value",
      });
    },
    open: ({ runId }) => table.open(runId),
    whenOpen: "fail",
  };
}
