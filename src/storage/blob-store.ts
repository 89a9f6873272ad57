// The port for values that are too large for a row and for artifacts: named by the SHA-256 of their content,
// so that writing one twice is harmless and a name can always be checked.

/** Content-addressed bytes. */
export interface BlobStore {
  /** Stores the bytes durably and answers their name (64 hex digits). Repeatable. */
  put(bytes: Uint8Array): Promise<string>;
  /** The bytes of that name, checked against it; undefined if absent; VALUE_DAMAGED if they do not match. */
  get(name: string): Promise<Uint8Array | undefined>;
  /** A path or URL where a person can find it. */
  locate(name: string): string;
}
