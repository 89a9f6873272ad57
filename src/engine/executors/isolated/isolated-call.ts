// Makes one attempt in a process of its own. A process that ends without a result has crashed.

import type { Attempt } from "../../attempt/attempt.ts";
import type { EngineWorld } from "../../ports.ts";
import type { FarSide } from "./far-side.ts";
import { IsolatedProcess } from "./isolated-process.ts";
import type { IsolatedCall, Report } from "./protocol.ts";
import { RemoteCall } from "./remote-call.ts";

/** What is called. */
export interface IsolatedWork {
  readonly call: IsolatedCall;
  /** Told when the code of the stage is called. */
  readonly begun: () => void;
}

/** How long a process may take to import its module, ms. */
const START_MS_MAX = 30_000;

/** Resolves with the result once nothing of the process is left. Rejects with what the stage threw, the reason of an
 *  abort, IsolatedCrash, or Unavailable. */
export async function callIsolated(
  world: EngineWorld,
  attempt: Attempt,
  { call, begun }: IsolatedWork,
): Promise<unknown> {
  const open = (hear: (report: Report) => void): FarSide => {
    const process = new IsolatedProcess({
      clock: world.clock,
      imports: world.childImports ?? [],
      path: world.environment["PATH"],
      onReport: hear,
    });
    process.tell({ kind: "call", call });
    return process;
  };
  let process: FarSide | null = null;
  const tooLate = world.clock.setTimer(START_MS_MAX, () => process?.kill());
  try {
    return await new RemoteCall(world, attempt, {
      open: (hear) => (process = open(hear)),
      begun: () => {
        tooLate.cancel();
        begun();
      },
    }).run();
  } finally {
    tooLate.cancel();
  }
}
