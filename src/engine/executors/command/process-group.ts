// Ends the processes of a command: TERM to the whole group, a grace, KILL to the whole group. Whether the
// direct child has already gone makes no difference, since a group lives as long as one member does.
//
// A process that leaves the group (a session of its own, as browsers are started) gets the same signals as
// long as it could be found in the tree. One that also gave up its parent before anyone looked is out of
// reach, on every platform.

import type { Clock } from "../../../std/clock.ts";
import { hasLivingMember, type ProcessTree } from "./process-tree.ts";

/** A child that leads a process group. */
export interface GroupLeader {
  readonly pid: number;
  /** Sends to the whole group; false when nobody was there. Signal 0 only asks. */
  kill(signal: NodeJS.Signals | 0): boolean;
}

/** How a group is ended. */
export interface EndGroupOptions {
  readonly clock: Clock;
  /** Time between TERM and KILL. */
  readonly graceMs: number;
  /** Given: descendants outside the group are ended as well. */
  readonly tree?: ProcessTree;
}

/** How long a group may take to vanish after KILL: one that waits for a broken disk may never. */
const KILLED_MS_MAX = 1_000;
const FIRST_LOOK_MS = 2;
const LOOK_MS_MAX = 50;

/** Resolves when no member runs any more, at most `graceMs` and a second later. */
export async function endGroup(leader: GroupLeader, options: EndGroupOptions): Promise<void> {
  const { clock, graceMs, tree } = options;
  const isRunning = (): boolean => isGroupRunning(leader) || (tree?.listStrays().length ?? 0) > 0;
  // Before the first signal, while parents still hold the tree together.
  tree?.sample();
  signalAll("SIGTERM", { leader, tree });
  // One that was stopped would otherwise see TERM only when it is too late.
  signalAll("SIGCONT", { leader, tree });
  if (await isOverWithin(graceMs, { clock, isRunning })) return;
  tree?.sample();
  signalAll("SIGKILL", { leader, tree });
  await isOverWithin(KILLED_MS_MAX, { clock, isRunning });
}

/** Whether any member of the group runs, the leader or another. */
export function isGroupRunning(leader: GroupLeader): boolean {
  return leader.kill(0) && hasLivingMember(leader.pid);
}

function signalAll(
  signal: NodeJS.Signals,
  targets: { readonly leader: GroupLeader; readonly tree: ProcessTree | undefined },
): void {
  targets.leader.kill(signal);
  for (const pid of targets.tree?.listStrays() ?? []) {
    try {
      process.kill(pid, signal);
    } catch {
      // Gone since it was listed, or not ours to signal: either way there is nothing left to do.
    }
  }
}

/** Looks at growing intervals, since no event tells when the last grandchild has gone. */
async function isOverWithin(
  timeMs: number,
  { clock, isRunning }: { readonly clock: Clock; readonly isRunning: () => boolean },
): Promise<boolean> {
  const endMs = clock.monotonicMs() + timeMs;
  let lookMs = FIRST_LOOK_MS;
  while (isRunning()) {
    const leftMs = endMs - clock.monotonicMs();
    if (leftMs <= 0) return false;
    await clock.sleep(Math.min(lookMs, leftMs));
    lookMs = Math.min(lookMs * 2, LOOK_MS_MAX);
  }
  return true;
}
