// What must stay the same over a soak, and by how much it may be off.

import type { SoakBound } from "./judge.ts";

/** Bounds at so many runs a second. */
export function makeBounds(rate: number): readonly SoakBound[] {
  return [
    { key: "rssMb", name: "memory, MB", grownMax: 32, atMost: 512 },
    { key: "heapMb", name: "heap, MB", grownMax: 16, atMost: 256 },
    { key: "handles", name: "handles", grownMax: 8, atMost: 128 },
    { key: "files", name: "open files", grownMax: 8, atMost: 128 },
    { key: "walMb", name: "WAL, MB", grownMax: 16, atMost: 64 },
    // At least what schedules and a slow moment make.
    {
      key: "depth",
      name: "queue depth",
      grownMax: 2 * Math.max(rate, 5),
      atMost: 10 * Math.max(rate, 5),
    },
  ];
}
