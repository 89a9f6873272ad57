// The conformance suite of stores as data: what a case is, and what it needs to know of the store under test.
// It names no test runner, so that anyone can hold a store of their own against it.

import type { StoreCapabilities } from "../../storage/capabilities.ts";
import type { Store } from "../../storage/store.ts";

/** A fresh, empty store, and the world around it. */
export interface StoreBench {
  readonly store: Store;
  /** Opens the same data once more, as another process would. Asked of stores that are `shared`. */
  readonly open: () => Promise<Store>;
  /** Moves the store's clock on. */
  readonly advance: (ms: number) => Promise<void>;
}

/** Makes a bench; whoever made it closes its stores after the case. */
export type StoreMaker = () => Promise<StoreBench>;

/** One rule that every store keeps. */
export interface StoreCase {
  /** A sentence about behaviour. */
  readonly name: string;
  /** Asked of the store's capabilities; the case is skipped where it answers false. Default: every store. */
  readonly needs?: (capabilities: StoreCapabilities) => boolean;
  /** Throws where the store breaks the rule. */
  readonly run: (make: StoreMaker) => Promise<void>;
}
