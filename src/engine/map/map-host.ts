// What a map stage asks of whoever conducts it: room for its items, and somebody to tell.

import type { ItemRecord } from "../../model/checkpoint.ts";
import type { MapShape } from "../../model/definition.ts";
import type { Ending, Failure } from "../../model/outcome.ts";
import type { Attempt } from "../attempt/attempt.ts";
import type { AttemptHistory } from "../attempt/attempt-history.ts";
import type { RunCore } from "../run-core.ts";
import type { StageRun } from "../stage-run.ts";
import type { ReopenedItems } from "./item-checkpoints.ts";
import type { MapItems } from "./map-items.ts";

/** What a map stage asks of its driver. */
export interface MapHost {
  /** Items may be ready: look when there is room. */
  offer(stageRun: StageRun): void;
  /** An item ended without a new attempt. Its ending is told and, in durable runs, stored. */
  itemEnded(stageRun: StageRun, index: number, attempt: Attempt | null): void;
  /** An item was brought back from an earlier epoch. */
  itemKept(stageRun: StageRun, index: number): void;
  /** An item waited in an earlier epoch: it waits on, or goes on now, unless it begins anew. */
  waitsOn(map: WaitingMap, index: number, record: ItemRecord): void;
  /** An item that waits for a resource is not wanted any more. */
  heldEnded(attempt: Attempt): void;
  /** Rows of an earlier epoch that are in the way, or in another place. */
  reopened(stageRun: StageRun, changes: ReopenedItems): void;
  /** All items have ended. */
  mapEnded(stageRun: StageRun, ending: Ending): void;
  /** The list is known. */
  expanded(stageRun: StageRun, counts: ExpandedCounts): void;
  /** The list could not be made. */
  expandFailed(stageRun: StageRun, error: unknown): void;
  isStopping(): boolean;
}

/** A map as those see it who go on with the waits of its items. */
export interface WaitingMap {
  readonly stageRun: StageRun;
  readonly items: MapItems;
  versionOf(index: number): string | null;
  noteWait(index: number, wait: ItemWait): void;
  retryDue(index: number, history: AttemptHistory): void;
}

/** What an expansion found, compared with checkpoints of an earlier epoch. */
export interface ExpandedCounts {
  readonly items: number;
  readonly kept: number;
  readonly added: number;
  readonly changed: number;
  readonly removed: readonly string[];
}

/** What an item that waits for its next attempt has behind it. */
export interface ItemWait {
  readonly attempt: Attempt;
  /** Null: it waits for a resource. */
  readonly failure: Failure | null;
}

/** What a map stage is made of. */
export interface MapParts {
  readonly core: RunCore;
  readonly host: MapHost;
  readonly maker: Attempt;
  readonly shape: MapShape;
}
