// A store of its own for each test of durable runs, and mills on it: ordinary ones, and doomed ones, whose
// process counts as dead for everybody else, so that a crash can be played without leaving the test. What a
// doomed mill still does is what a zombie does. All of it is gone when the test ends.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { onTestFinished } from "vitest";
import { openMillrace, type Millrace } from "../../../src/service/millrace.ts";
import type { OpenOptions } from "../../../src/service/mill/open-options.ts";
import type { Pipeline } from "../../../src/service/pipeline.ts";
import { systemMachine, type Machine } from "../../../src/std/machine.ts";

export type StoreKind = "memory" | "sqlite";

/** Both stores, for `describe.each`. */
export const STORES: readonly StoreKind[] = ["memory", "sqlite"];

// The compiler cannot say "any pipeline" in one word: its input is in both directions.
export type SomePipeline = Pipeline<never, unknown>;

export interface DurableWorld {
  readonly folder: string;
  readonly url: string;
  /** Path of the file; "" for memory. */
  readonly path: string;
  /** Opens a mill on the store of this world; closed with the test. */
  open(pipelines: readonly SomePipeline[], options?: Partial<OpenOptions>): Promise<Millrace>;
  /** The same in a process that is dead as far as others can tell. It is left behind without a goodbye. */
  openDoomed(pipelines: readonly SomePipeline[], options?: Partial<OpenOptions>): Promise<Millrace>;
  /** Opens the file past the store, to look at it or to change it. Only with "sqlite". */
  raw(): DatabaseSync;
}

export function makeDurableWorld(kind: StoreKind = "sqlite"): DurableWorld {
  const folder = mkdtempSync(join(tmpdir(), "millrace-durable-"));
  const path = kind === "memory" ? "" : join(folder, "store", "store.db");
  const url = kind === "memory" ? "memory:" : `sqlite:${path}`;
  // Hooks run last first: the folder goes after the mills are closed.
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const open: DurableWorld["open"] = async (pipelines, options) => {
    const mill = await openMillrace({ store: url, pipelines, graceMs: 50, ...options });
    onTestFinished(() => mill.close({ drainMs: 0 }));
    return mill;
  };
  return {
    folder,
    url,
    path,
    open,
    raw: () => {
      const database = new DatabaseSync(path, { defensive: false });
      onTestFinished(() => {
        if (database.isOpen) database.close();
      });
      return database;
    },
    openDoomed: (pipelines, options) => open(pipelines, { machine: makeDeadMachine(), ...options }),
  };
}

/** A machine that says of itself what no living process can say. */
export function makeDeadMachine(): Machine {
  return {
    host: systemMachine.host,
    // Above the highest pid that Linux gives.
    pid: 4_194_305,
    bootId: systemMachine.bootId,
    processStart: systemMachine.processStart,
    environment: systemMachine.environment,
    sharedMonotonicMs: () => systemMachine.sharedMonotonicMs(),
    isGone: (process) => systemMachine.isGone(process),
  };
}

/** Something that happens once and can be waited for; the other side of a stage that waits. */
export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

export function makeGate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: () => resolve() };
}
