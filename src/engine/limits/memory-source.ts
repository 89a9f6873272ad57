// Permits of runs in memory: the rules of every store over what this process holds. A resource is the value that was
// declared, whatever it is called, so that two of one name never meet here.

import type { ResourceDeclaration } from "../../model/resource.ts";
import type { Clock } from "../../std/clock.ts";
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
import type { Asked, PermitSource, Returned } from "./permit-request.ts";

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

  /** The permits of one more run. */
  open(runId: string): PermitSource {
    const run = ++this.#runs;
    const owner = { run, epoch: 1 };
    const fence = { runId, epoch: 1, events: [], worker: "" };
    return {
      nowMs: () => this.nowMs(),
      take: (asked: Asked): PermitResult => {
        const write: TakePermitsWrite = { kind: "take-permits", ...fence, ...asked };
        return takePermits(this.#book(), owner, write).result;
      },
      release: (returned: Returned): void => {
        const write: ReleasePermitsWrite = { kind: "release-permits", ...fence, ...returned };
        releasePermits(this.#book(), owner, write);
      },
    };
  }

  /** What a person asks for. */
  set(resource: string, key: string, order: ResourceOrder & { readonly reason: string }): void {
    const { reason, ...change } = order;
    const write = {
      kind: "set-resource" as const,
      resource,
      key,
      change,
      actor: "program",
      reason,
    };
    setResource(this.#book(), write);
  }

  find(resource: string, key: string): ResourceRecord | undefined {
    return this.#permits.record({ resource, key }, this.nowMs());
  }

  #book(): PermitBook {
    return this.#permits.open(this.nowMs());
  }
}

const names = new WeakMap<ResourceDeclaration, string>();
let named = 0;

/** The name under which a declaration's permits stand in memory: its own, and which of that name it is. */
export function memoryName(declaration: ResourceDeclaration): string {
  let name = names.get(declaration);
  if (name === undefined) {
    named += 1;
    name = `${declaration.terms.name}#${named}`;
    names.set(declaration, name);
  }
  return name;
}
