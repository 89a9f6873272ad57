// The door "millrace/testing": time and chance to test with, stores, and the suite that every store must pass.

export { makeVirtualClock as virtualClock } from "../std/virtual-clock.ts";
export type { VirtualClock } from "../std/virtual-clock.ts";
export { makeSeededRandom as seededRandom } from "../std/random.ts";
export type { Random } from "../std/random.ts";
export type { Clock } from "../std/clock.ts";
export { memoryStore } from "../testing/memory-store.ts";
export { recordEvents } from "../testing/record-events.ts";
export { runStage, testContext } from "../testing/run-stage.ts";
export { storeSuite } from "../testing/store-suite/store-suite.ts";
