// Puts an open mill together from its options: everything is checked before the store is opened, and opening it starts
// nothing.

import { GroupCommit } from "../../storage/group-commit.ts";
import { openStore } from "../../storage/open-store.ts";
import type { Store } from "../../storage/store.ts";
import { LeaseKeeper } from "../../engine/lease-keeper.ts";
import { Gate } from "../../engine/limits/gate.ts";
import { makeDurableLimits } from "../../engine/limits/limits.ts";
import { Slots } from "../../engine/slots.ts";
import { LazyThreads } from "../../engine/threads.ts";
import {
  ABORT_GRACE_MS_DEFAULT,
  CONCURRENCY_DEFAULT,
  PROBE_MS_DEFAULT,
  STORE_URL_DEFAULT,
  STUCK_SLOT_MS_DEFAULT,
} from "../../model/defaults.ts";
import { checkLeaseTerms } from "../../policy/lease-terms.ts";
import { systemClock } from "../../std/clock.ts";
import { Emitter } from "../../std/emitter.ts";
import { readMemory } from "../../std/figures/memory.ts";
import { makeIdSource } from "../../std/id.ts";
import { systemMachine } from "../../std/machine.ts";
import { systemRandom } from "../../std/random.ts";
import { rescueInterrupted } from "../commands/rescue.ts";
import { readEventOptions } from "../events/event-options.ts";
import { makeEventWires } from "../feed/event-wires.ts";
import { indexPipelines } from "../index-pipelines.ts";
import { readNotices } from "../listeners/notices/read-notices.ts";
import { prepareTracing } from "../listeners/tracing.ts";
import type { MillContext } from "../mill-context.ts";
import type { OpenOptions } from "./open-options.ts";
import { PatientBlobs } from "../patient-blobs.ts";
import { checkConcurrency, toThreadsMax } from "../prepare-run.ts";
import { declareResources } from "../resources/declare-resources.ts";
import { GateWatch } from "../resources/gate-watch.ts";
import { putBackLease } from "../worker/put-back-lease.ts";
import { Standing } from "../worker/standing.ts";
import { tellJump } from "../worker/tell-jump.ts";
import { WorkerSelf } from "../worker/worker-self.ts";
import { makeFiles } from "../world.ts";

/** Opens a store with all that works on it. OPTION_INVALID, DEFINITION_INVALID, and whatever a store cannot be. */
export async function makeMill(options: OpenOptions): Promise<MillContext> {
  const checked = await checkOptions(options);
  const { clock, random, machine, mode } = checked;
  const url = options.store ?? STORE_URL_DEFAULT;
  const store = await openStore(url, {
    clock,
    machine,
    mode,
    ...(options.busyTimeoutMs === undefined ? {} : { busyTimeoutMs: options.busyTimeoutMs }),
  });
  const mill = assemble(options, checked, { url, store, nextId: makeIdSource(clock, random) });
  new GateWatch(mill, mill.world.limits.gate);
  mill.standing.jumped.on((byMs) => void tellJump(mill, byMs).catch(() => undefined));
  if (mode === "write") await rescueInterrupted(mill);
  return mill;
}

/** What the options say, found possible. */
type Checked = Awaited<ReturnType<typeof checkOptions>>;

async function checkOptions(options: OpenOptions) {
  checkConcurrency(options.concurrency);
  const threadsMax = toThreadsMax(options.threads);
  const leaseTerms = checkLeaseTerms(options.lease);
  await prepareTracing();
  const notices = await readNotices(options.notify);
  const pipelines = indexPipelines(options.pipelines ?? [], notices.pipelines);
  return {
    threadsMax,
    leaseTerms,
    notices,
    pipelines,
    resources: declareResources(options.resources ?? {}, pipelines.values()),
    events: makeEventWires(readEventOptions(options)),
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    machine: options.machine ?? systemMachine,
    mode: options.mode ?? "write",
  };
}

/** A store that is open. */
interface Opened {
  readonly url: string;
  readonly store: Store;
  readonly nextId: () => string;
}

function assemble(options: OpenOptions, checked: Checked, opened: Opened): MillContext {
  const { clock, random, machine, leaseTerms, pipelines } = checked;
  const { store, nextId } = opened;
  const { host, pid, bootId, processStart } = machine;
  const owner = { worker: nextId(), host, pid, bootId, processStart };
  const standing = new Standing({ store, clock, terms: leaseTerms });
  const self = new WorkerSelf({ ...options, store, clock, owner, pipelines, readMemory, standing });
  const warn = options.onWarning ?? warnOfProcess;
  const mill: MillContext = {
    store,
    committer: new GroupCommit({ store, clock, random }),
    keeper: new LeaseKeeper({
      store,
      clock,
      owner,
      terms: leaseTerms,
      warn,
      describe: (work) => self.describe(work),
      putBack: (run) => putBackLease(mill, run),
      onBeat: () => standing.clocks.look(),
    }),
    world: makeWorld(options, checked, { ...opened, stuck: standing.stuck }),
    machine,
    owner,
    leaseMs: leaseTerms.leaseMs,
    leaseTerms,
    provide: options.provide ?? {},
    probeMs: options.probeMs ?? PROBE_MS_DEFAULT,
    pipelines,
    resources: checked.resources,
    schedules: options.schedules ?? {},
    notices: checked.notices,
    nextId,
    live: new Map(),
    claiming: new Set(),
    queueClaims: 0,
    standing,
    self,
    workers: new Set(),
    starting: new Set(),
    wake: new Emitter(),
    places: new Emitter(),
    events: checked.events,
    warn,
    closing: false,
  };
  return mill;
}

function makeWorld(
  options: OpenOptions,
  { clock, random, machine, resources, threadsMax }: Checked,
  { url, store, stuck }: Opened & Pick<Standing, "stuck">,
): MillContext["world"] {
  return {
    clock,
    random,
    slots: new Slots(options.concurrency ?? CONCURRENCY_DEFAULT),
    limits: makeDurableLimits(new Gate(clock, random), resources),
    files: makeFiles(url),
    blobs: new PatientBlobs(store.blobs, clock),
    environment: options.environment ?? machine.environment,
    graceMs: options.graceMs ?? ABORT_GRACE_MS_DEFAULT,
    stuckMs: options.stuckMs ?? STUCK_SLOT_MS_DEFAULT,
    stuck,
    // Threads work in real time, whatever clock the mill is on.
    threads: new LazyThreads({ clock: systemClock, threadsMax }),
    childImports: options.childImports ?? [],
  };
}

function warnOfProcess(message: string): void {
  process.emitWarning(message, "MillraceWarning");
}
