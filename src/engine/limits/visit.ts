// One asker at the gate, from its first question to its permit.

import type { Entry } from "../../policy/fair-lines/fair-lines.ts";
import type { PermitRequest } from "./permit-request.ts";

/** Somebody who asks for permits. */
export interface Asker {
  readonly request: PermitRequest;
  /** Its turn may have come: it is to enter again, soon. */
  wake(): void;
}

/** One asker at the gate. */
export class Visit {
  readonly asker: Asker;
  /** Monotonic ms of the first question. */
  readonly sinceMs: number;
  /** Its place in line, while it waits. */
  entry: Entry<Visit> | null = null;
  /** The line whose turn it has, between being called and its answer. */
  called: string | null = null;
  /** Place among those who came at the same time; kept when it is refused again. */
  number: number | null = null;
  isOver: boolean = false;

  constructor(asker: Asker, sinceMs: number) {
    this.asker = asker;
    this.sinceMs = sinceMs;
  }
}
