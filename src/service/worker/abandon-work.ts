// The last moment of a process that was told to end and could not: what it still holds is given back, so that others
// need not find out that it is gone. Waits for no stage; how long it may take is for the caller to bound.

import type { MillContext } from "../mill-context.ts";

/** Gives every run back to its queue (in the foreground: to its resume) and closes the store. Nothing of the mill may
 *  be used after it. */
export async function abandonWork(mill: MillContext): Promise<void> {
  mill.closing = true;
  mill.places.emit();
  for (const worker of mill.workers) void worker.stop(0);
  await Promise.all([...mill.live.values()].map((run) => run.giveBack()));
  await mill.keeper.close();
  // The last connection that closes brings the log into the file.
  await mill.store.close();
}
