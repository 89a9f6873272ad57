// The program of the thread that renews leases: a connection of its own, one statement, and nothing that could
// run user code. It is started by `thread-renewer.ts`, and built as a file of its own.

import { isMainThread, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { assert } from "../../../std/error/assert.ts";
import { systemClock } from "../../../std/clock.ts";
import { systemMachine } from "../../../std/machine.ts";
import { systemRandom } from "../../../std/random.ts";
import { isMillraceError } from "../../../model/errors.ts";
import type { LeasedRun } from "../../lease-renewer.ts";
import { reopenWriter } from "../connection.ts";
import { toStoreError } from "../faults.ts";
import { MetaRows } from "../statements/meta.ts";
import { RunRows } from "../statements/runs.ts";
import { StoreClock } from "../store-clock.ts";
import { transact } from "../transaction.ts";
import { RenewalLoop } from "./renewal-loop.ts";
import {
  SharedTimes,
  type RenewalOrder,
  type RenewalReport,
  type RenewalStart,
} from "./renewal-protocol.ts";

assert(!isMainThread && parentPort !== null, "The thread of renewals was started as a program.");
const port = parentPort;
// What crosses between threads has no type; both sides are ours and of one version.
const { url, path, terms, shared } = workerData as RenewalStart;

const database = reopenWriter({ url, path, busyTimeoutMs: terms.callMs });
const runRows = new RunRows(database);
const meta = new MetaRows(database);
const storeClock = new StoreClock({ clock: systemClock, machine: systemMachine });

const loop = new RenewalLoop({
  terms,
  times: new SharedTimes(shared),
  clock: systemClock,
  random: systemRandom,
  nowMs: () => systemMachine.sharedMonotonicMs(),
  nextOrder: () => receiveMessageOnPort(port)?.message as RenewalOrder | undefined,
  renew,
  onLost: (runs) => port.postMessage({ kind: "lost", runs } satisfies RenewalReport),
  isFatal: (error) => {
    const fault = toStoreError(error, url);
    return !isMillraceError(fault) || !fault.retryable;
  },
  onEnd: (fault) => {
    port.close();
    database.close();
    if (fault !== undefined) throw fault;
  },
});
port.on("message", (order: RenewalOrder) => loop.hear(order));

function renew(runs: readonly LeasedRun[]): readonly LeasedRun[] {
  return transact(database, () => {
    const known = meta.find();
    if (known !== undefined) storeClock.adopt(known);
    const untilMs = Math.floor(storeClock.nowMs() + terms.leaseMs);
    return runs.filter((run) => !runRows.renew(terms.owner.worker, run, untilMs));
  });
}
