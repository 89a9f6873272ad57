// A lease: the time-limited claim of one process on one run. The epoch, raised by every claim, is the
// fencing token that every write of that claim carries.

/** Who a process is, so that others can prove it dead. A pid alone proves nothing: pids come back. */
export interface Owner {
  /** Random id of the worker within its process. */
  readonly worker: string;
  readonly host: string;
  readonly pid: number;
  /** Changes with every boot of the machine; empty where the platform has none. */
  readonly bootId: string;
  /** Start of the process in the platform's own unit; empty where unknown. */
  readonly processStart: string;
}

/** A claim on a run. `expiresAtMs` is judged by the store's clock alone. */
export interface Lease {
  readonly owner: Owner;
  readonly expiresAtMs: number;
}

/** How leases are given, kept and taken. Times in ms; `checkLeaseTerms` says which go together. */
export interface LeaseTerms {
  /** L: length of a lease. */
  readonly leaseMs: number;
  /** H: longest time between two renewals. */
  readonly heartbeatMs: number;
  /** k: renewals in a row that a healthy holder may miss. */
  readonly misses: number;
  /** D: slowest call that renews. */
  readonly callMs: number;
  /** P: longest pause of a healthy holder. */
  readonly pauseMs: number;
  /** M: time a holder needs to stop. */
  readonly stopMs: number;
  /** G: grace after a lease's end before it may be taken. */
  readonly graceMs: number;
  /** Time between two notes of what a process is running; so often its main loop says that it lives. */
  readonly presenceMs: number;
  /** Silence of the main loop after which nothing is renewed for it. */
  readonly loopSilenceMs: number;
  /** Time after its deadline in which a run's lease is still renewed. */
  readonly deadlineGraceMs: number;
  /** Age of a run from which its lease is renewed from a thread. */
  readonly threadAfterMs: number;
}
