// A process for one attempt. It is ended from outside; alone it only ends when its worker is gone.

import { FarAttempt } from "./far-attempt.ts";
import type { Order } from "./protocol.ts";

let attempt: FarAttempt | null = null;

process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
process.on("message", (message: unknown) => {
  // Only our worker has the other end of the channel.
  const order = message as Order;
  if (order.kind !== "call") return attempt?.hear(order);
  attempt = new FarAttempt(order.call, (report) => void process.send?.(report));
  void attempt.make();
});
