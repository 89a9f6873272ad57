// All chapters of the conformance suite. A store that passes every case its capabilities call for is one that
// the engine can work on.

import { batchCases } from "./batches.ts";
import { blobCases } from "./blobs.ts";
import { cacheCases } from "./cache.ts";
import { cancelCases } from "./cancels.ts";
import { claimCases } from "./claims.ts";
import { counterCases } from "./counters.ts";
import { deletionCases } from "./deletions.ts";
import { endingCases } from "./endings.ts";
import { eventCases } from "./events.ts";
import { itemCases } from "./items.ts";
import { leaseCases } from "./leases.ts";
import { memoCases } from "./memos.ts";
import { breakerCases } from "./permits/breakers.ts";
import { lineCases } from "./permits/lines.ts";
import { orderCases } from "./permits/orders.ts";
import { parkedCases } from "./permits/parked.ts";
import { permitCases } from "./permits/permits.ts";
import { quotaCases } from "./permits/quotas.ts";
import { aheadCases } from "./queue/ahead.ts";
import { crashCases } from "./queue/crashes.ts";
import { placeCases } from "./queue/places.ts";
import { queryCases } from "./queries.ts";
import { queueCases } from "./queue/queue.ts";
import { reclaimCases } from "./queue/reclaims.ts";
import { resetCases } from "./queue/resets.ts";
import { runBatchCases } from "./queue/run-batches.ts";
import { wakeCases } from "./queue/wakes.ts";
import { recordCases } from "./records.ts";
import { runCases } from "./runs.ts";
import { stageCases } from "./stages.ts";
import type { StoreCase } from "./suite.ts";
import { takeOverCases } from "./take-over.ts";

/** A chapter: the aggregate it is about, and its cases. */
export interface StoreChapter {
  readonly name: string;
  readonly cases: readonly StoreCase[];
}

/** The whole suite. Run each case on a fresh store. */
export const storeSuite: readonly StoreChapter[] = [
  { name: "runs", cases: runCases },
  { name: "claims", cases: claimCases },
  { name: "leases", cases: leaseCases },
  { name: "cancels", cases: cancelCases },
  { name: "endings", cases: endingCases },
  { name: "queue", cases: queueCases },
  { name: "wakes", cases: wakeCases },
  { name: "ahead", cases: aheadCases },
  { name: "places", cases: placeCases },
  { name: "reclaims", cases: reclaimCases },
  { name: "crashes", cases: crashCases },
  { name: "resets", cases: resetCases },
  { name: "batches of runs", cases: runBatchCases },
  { name: "permits", cases: permitCases },
  { name: "permits: quotas", cases: quotaCases },
  { name: "permits: breakers", cases: breakerCases },
  { name: "permits: lines", cases: lineCases },
  { name: "permits: orders", cases: orderCases },
  { name: "permits: parked runs", cases: parkedCases },
  { name: "stages", cases: stageCases },
  { name: "items", cases: itemCases },
  { name: "memos and state", cases: memoCases },
  { name: "cache", cases: cacheCases },
  { name: "events", cases: eventCases },
  { name: "records", cases: recordCases },
  { name: "counters", cases: counterCases },
  { name: "take-over", cases: takeOverCases },
  { name: "queries", cases: queryCases },
  { name: "batches", cases: batchCases },
  { name: "deletions", cases: deletionCases },
  { name: "blobs", cases: blobCases },
];
