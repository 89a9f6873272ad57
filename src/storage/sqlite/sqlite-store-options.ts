// What a store in one SQLite file is given by whoever opens it.

import type { DatabaseSync } from "node:sqlite";
import type { BlobStore } from "../blob-store.ts";
import type { StoreCapabilities } from "../capabilities.ts";
import type { LeaseRenewer, RenewalListener, RenewalTerms } from "../lease-renewer.ts";
import type { StoreClock } from "./store-clock.ts";
import type { Writer } from "./writes/writer.ts";

/** What a SQLite store is made of; `openSqliteStore` makes it. */
export interface SqliteStoreOptions {
  readonly url: string;
  readonly capabilities: StoreCapabilities;
  readonly blobs: BlobStore;
  readonly clock: StoreClock;
  /** Undefined: the store was opened to be read. */
  readonly writer: Writer | undefined;
  /** Opens the writing connection anew, after a fault that left it in doubt. */
  readonly reopenWriter: () => Writer;
  /** Opens the reading connection. */
  readonly openReader: () => DatabaseSync;
  /** Starts a thread that renews leases. Default: there is none. */
  readonly openRenewer?: (terms: RenewalTerms, listener: RenewalListener) => LeaseRenewer;
  /** Asked before each read: true if the reading connection has to be opened anew. Default: never. */
  readonly isReaderStale?: () => boolean;
}
