// What a store can do. The conformance suite skips by capability, with this reason; nothing else may differ.

/** Abilities of a store. */
export interface StoreCapabilities {
  /** Survives the end of the process. Without it nothing can be resumed. */
  readonly durable: boolean;
  /** Several processes may open it at once. */
  readonly shared: boolean;
}
