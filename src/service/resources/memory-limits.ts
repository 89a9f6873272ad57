// Resources and permits of runs in memory: the rules of every store over what this process holds. A resource is the
// value that was declared, whatever it is called, so that two of one name never meet here.

import type { EventDraft } from "../../model/event.ts";
import type { ResourceDeclaration } from "../../model/resource/resource.ts";
import { Gate } from "../../engine/limits/gate.ts";
import type { Limits } from "../../engine/limits/limits.ts";
import { MillraceError } from "../../model/errors.ts";
import type { Clock } from "../../std/clock.ts";
import type { Random } from "../../std/random.ts";
import { MemoryPermits } from "../../storage/memory/memory-permits.ts";
import type { PermitBook } from "../../storage/permits/permit-book.ts";
import { releasePermits, takePermits } from "../../storage/permits/permit-rules.ts";
import { setResource } from "../../storage/permits/set-resource.ts";
import type {
  PermitResult,
  ReleasePermitsWrite,
  ResourceOrder,
  ResourceRecord,
  TakePermitsWrite,
} from "../../storage/permits/permit-write.ts";
import type { Asked, PermitSource, Returned } from "../../engine/limits/permit-request.ts";
import { tellChange } from "../../engine/limits/resource-change.ts";

/** Told of what happens to a resource. */
type Tell = (draft: EventDraft) => void;

/** All permits of runs in memory on one clock. */
export class MemoryPermitTable {
  readonly #clock: Pick<Clock, "wallMs" | "monotonicMs">;
  readonly #anchorMs: number;
  readonly #permits: MemoryPermits = new MemoryPermits(null);
  #runs: number = 0;

  constructor(clock: Pick<Clock, "wallMs" | "monotonicMs">) {
    this.#clock = clock;
    this.#anchorMs = clock.wallMs() - clock.monotonicMs();
  }

  nowMs(): number {
    return Math.floor(this.#anchorMs + this.#clock.monotonicMs());
  }

  /** The permits of one more run. `tell` hears what its calls do to their resources. */
  open(runId: string, tell: Tell): PermitSource {
    const run = ++this.#runs;
    const owner = { run, epoch: 1 };
    const fence = { runId, epoch: 1, events: [], worker: "" };
    return {
      nowMs: () => this.nowMs(),
      take: (asked: Asked): PermitResult => {
        const write: TakePermitsWrite = { kind: "take-permits", ...fence, ...asked };
        const { result, events } = takePermits(this.#book(), owner, write);
        this.#tell(events, tell);
        return result;
      },
      release: (returned: Returned): void => {
        const write: ReleasePermitsWrite = { kind: "release-permits", ...fence, ...returned };
        this.#tell(releasePermits(this.#book(), owner, write), tell);
      },
    };
  }

  /** What a person asks for, of one key or (null) of the whole. */
  set(
    {
      declaration,
      key,
    }: { readonly declaration: ResourceDeclaration; readonly key: string | null },
    { reason, ...change }: ResourceOrder & { readonly reason: string },
  ): void {
    const write = {
      kind: "set-resource" as const,
      resource: memoryName(declaration),
      key: key ?? "",
      change,
      actor: "program",
      reason,
    };
    this.#tell(setResource(this.#book(), write), () => {});
  }

  /** All keys of a resource that were used or set, in their order. */
  list(declaration: ResourceDeclaration): readonly ResourceRecord[] {
    const resource = memoryName(declaration);
    return this.#permits.list(this.nowMs()).filter((record) => record.resource === resource);
  }

  /** How many permits are held, of all resources. */
  get held(): number {
    return this.#permits.list(this.nowMs()).reduce((sum, { held }) => sum + held, 0);
  }

  #tell(events: readonly EventDraft[], tell: Tell): void {
    for (const draft of events) {
      const name = draft.data?.["resource"];
      const declaration = typeof name === "string" ? known.get(name)?.deref() : undefined;
      if (declaration === undefined) continue;
      const named = { ...draft, data: { ...draft.data, resource: declaration.terms.name } };
      tell(named);
      if (declaration.hooks.onChange === null) continue;
      // Not in the middle of a move: it may set the very resource of which it hears.
      void Promise.resolve().then(() => tellChange(declaration, named));
    }
  }

  #book(): PermitBook {
    return this.#permits.open(this.nowMs());
  }
}

const names = new WeakMap<ResourceDeclaration, string>();
/** What the names stand for, as long as somebody has it. */
const known = new Map<string, WeakRef<ResourceDeclaration>>();
const forget = new FinalizationRegistry((name: string) => void known.delete(name));
let named = 0;

/** The name under which a declaration's permits stand in memory: its own, and which of that name it is. */
export function memoryName(declaration: ResourceDeclaration): string {
  let name = names.get(declaration);
  if (name === undefined) {
    named += 1;
    name = `${declaration.terms.name}#${named}`;
    names.set(declaration, name);
    known.set(name, new WeakRef(declaration));
    forget.register(declaration, name);
  }
  return name;
}

/** The limits of runs in memory. */
export interface MemoryLimits extends Limits {
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
    open: ({ runId, tell }) => table.open(runId, tell),
    whenOpen: "fail",
  };
}
