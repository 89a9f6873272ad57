// How much later than its tick a schedule fires: the same for all its ticks and in every process, spread over schedules.

import { sha256Hex } from "../../std/json.ts";

/** 0 up to `jitterMs`, in ms, from the name alone. */
export function toJitterMs(name: string, jitterMs: number): number {
  if (jitterMs === 0) return 0;
  return Number.parseInt(sha256Hex(`jitter ${name}`).slice(0, 12), 16) % (jitterMs + 1);
}
