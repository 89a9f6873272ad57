// A blocker as documents show it: moments as text, everything else as it is.

import type { Blocker, BlockerKind } from "../../model/blocker.ts";
import { toIso } from "./time-view.ts";

/** One reason why something is not running. */
export interface BlockerView {
  readonly kind: BlockerKind;
  readonly name: string;
  readonly key?: string;
  readonly since?: string;
  readonly ahead?: number;
  readonly holders?: readonly string[];
  readonly expectedAt?: string;
  readonly basis: Blocker["basis"];
  readonly text: string;
}

/** The view of a blocker. */
export function toBlockerView(blocker: Blocker): BlockerView {
  const { sinceMs, expectedAtMs, ...rest } = blocker;
  return {
    ...rest,
    ...(sinceMs === undefined ? {} : { since: toIso(sinceMs) }),
    ...(expectedAtMs === undefined ? {} : { expectedAt: toIso(expectedAtMs) }),
  };
}
