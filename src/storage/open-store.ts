// From the URL that a user writes to a store. Composition roots call it; the engine is given what it returns.

import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import { MillraceError } from "../model/errors.ts";
import type { Clock } from "../std/clock.ts";
import { refuseForeignLink } from "../std/files/named-file.ts";
import type { Machine } from "../std/machine.ts";
import type { Store } from "./store.ts";

/** How a store is opened. */
export interface OpenStoreOptions {
  readonly clock: Clock;
  readonly machine: Machine;
  /**
   * `write`: for runs; makes the store if there is none. `read`: for questions; STORE_NOT_FOUND if there is none.
   * `plan`: the same, without making any file, not even those that readers of a file share.
   */
  readonly mode: "write" | "read" | "plan";
  /** How long a write waits for another process, ms. Default 5 s. */
  readonly busyTimeoutMs?: number;
}

/**
 * Opens `sqlite:PATH` or `memory:`. STORE_UNSUPPORTED for a database that is not built in yet, STORE_INVALID for
 * anything else that is no store URL, and what opening the file says.
 */
export async function openStore(url: string, options: OpenStoreOptions): Promise<Store> {
  // Either is loaded on first need: nobody pays for both.
  if (url === "memory:") {
    const { MemoryStore } = await import("./memory/memory-store.ts");
    return new MemoryStore({ clock: options.clock });
  }
  const path = findStorePath(url);
  const { openSqliteStore } = await import("./sqlite/open.ts");
  return openSqliteStore({ ...options, url, path });
}

/** True for a store that ends with its process. */
export function isMemoryUrl(url: string): boolean {
  return url === "memory:" || url === "sqlite::memory:";
}

/** The path behind `sqlite:PATH`, as written. STORE_UNSUPPORTED, STORE_INVALID. */
function parseSqlitePath(url: string): string {
  if (/^postgres(ql)?:/.test(url)) {
    throw new MillraceError("STORE_UNSUPPORTED", `Postgres is not supported yet: "${url}".`, {
      hint: "One machine with any number of processes works on a file: --store sqlite:PATH",
    });
  }
  const path = /^sqlite:(?<path>.+)$/su.exec(url)?.groups?.["path"];
  // With two slashes the first part of a path would be read as a host by some, as a folder by others.
  if (path !== undefined && !/^\/\/[^/]/.test(path) && !path.includes("\0")) return path;
  throw new MillraceError("STORE_INVALID", `"${url}" is no URL of a store.`, {
    hint: `Write sqlite:PATH, as in sqlite:.millrace/store.db or sqlite:/var/lib/millrace/store.db, or memory:${suggestion(url)}`,
  });
}

/**
 * The file behind `sqlite:PATH`, or `:memory:`. Symbolic links are followed, so that all who open one file by
 * whatever name find the same blobs and folders of runs beside it; one that another user made is refused.
 * STORE_UNSUPPORTED, STORE_INVALID.
 */
export function findStorePath(url: string): string {
  const path = parseSqlitePath(url);
  if (isMemoryUrl(url)) return path;
  refuseLink(url, path);
  try {
    return realpathSync.native(path);
  } catch {
    // There is none yet, or nobody may look: who opens it says which.
    return resolve(path);
  }
}

function refuseLink(url: string, path: string): void {
  try {
    refuseForeignLink(path);
  } catch (cause) {
    // Anything else is said by who opens it.
    if (!(cause instanceof Error) || !cause.message.startsWith("ELOOP")) return;
    throw new MillraceError(
      "STORE_INVALID",
      `The store "${url}" is a link that another user made.`,
      {
        hint: "Name the file that it leads to, if that is the one.",
        cause,
      },
    );
  }
}

function suggestion(url: string): string {
  const path = url.replace(/^[a-z]*:\/*/i, "");
  return path === "" || path.includes("\0") ? "" : ` Did you mean "sqlite:${path}"?`;
}
