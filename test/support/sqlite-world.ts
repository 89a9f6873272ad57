// A folder of its own for each test of the SQLite store, and child processes that use the same file. All of it
// is gone when the test ends.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { onTestFinished } from "vitest";
import { systemClock } from "../../src/std/clock.ts";
import { systemMachine } from "../../src/std/machine.ts";
import { openSqliteStore, type SqliteOpenOptions } from "../../src/storage/sqlite/open.ts";
import type { SqliteStore } from "../../src/storage/sqlite/sqlite-store.ts";

const SOURCES = pathToFileURL(join(import.meta.dirname, "../../src/")).href;

export interface SqliteWorld {
  readonly folder: string;
  readonly path: string;
  readonly url: string;
  /** Opens the store of this world; closed with the test. */
  open(options?: Partial<SqliteOpenOptions>): Promise<SqliteStore>;
  /** Opens the file past the store, to look at it or to harm it. */
  raw(path?: string): DatabaseSync;
  /**
   * Starts a process with this module as its program; `path` and `src` (URL of the sources) are in scope.
   * `prefix`: a command that runs the rest of its line.
   */
  start(module: string, prefix?: readonly string[]): ChildProcess;
}

export function makeSqliteWorld(): SqliteWorld {
  const folder = mkdtempSync(join(tmpdir(), "millrace-sqlite-"));
  const path = join(folder, "store", "store.db");
  const url = `sqlite:${path}`;
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return {
    folder,
    path,
    url,
    open: async (options) => {
      const base = {
        url,
        path,
        clock: systemClock,
        machine: systemMachine,
        mode: "write",
      } as const;
      const store = await openSqliteStore({ ...base, ...options });
      onTestFinished(() => store.close());
      return store;
    },
    raw: (file = path) => {
      const database = new DatabaseSync(file, { defensive: false });
      onTestFinished(() => {
        if (database.isOpen) database.close();
      });
      return database;
    },
    start: (module, prefix = []) => {
      const scope = `const path = ${JSON.stringify(path)}; const src = ${JSON.stringify(SOURCES)};\n`;
      const options = ["--input-type=module", "--eval", scope + module];
      const [command = "", ...parameters] = [...prefix, process.execPath, ...options];
      const child = spawn(command, parameters, {
        stdio: ["pipe", "pipe", "inherit"],
        // Children of one test run share what they compiled: most of their life would be that.
        env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "millrace-compile-cache") },
      });
      onTestFinished(() => void child.kill("SIGKILL"));
      return child;
    },
  };
}

/** Program text that opens the store of the world as `store`, with `fixture` at hand. */
export const OPEN_STORE = `
const { openSqliteStore } = await import(src + "storage/sqlite/open.ts");
const { systemClock } = await import(src + "std/clock.ts");
const { systemMachine } = await import(src + "std/machine.ts");
const fixture = await import(src + "testing/store-suite/fixture.ts");
const store = await openSqliteStore({
  url: "sqlite:" + path, path, clock: systemClock, machine: systemMachine, mode: "write",
});
`;

/** Everything a child printed, once it has ended; rejects unless it ended well. */
export async function outputOf(child: ChildProcess): Promise<string> {
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  if (code !== 0) throw new Error(`A child ended with ${signal ?? code}, after: ${text}`);
  return text;
}
