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
