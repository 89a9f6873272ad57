// Starts real processes that share one store and one outside thing, and reads the log of its calls. They are gone when
// the test ends.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import type { Millrace, ResourceOptions } from "../../../src/exports/index.ts";
import { makeDurableWorld } from "../durable/durable-world.ts";
import {
  logOf,
  makeCallers,
  type Calls,
  type ResourceOrder,
  type ResourcePipelines,
  type ResourceReport,
  type ResourceShared,
} from "./resource-process.ts";
import { programWords } from "../suite-package.ts";

const PROGRAM = join(import.meta.dirname, "resource-process.ts");

/** One line of the log. */
export interface LoggedCall {
  readonly what: string;
  readonly name: string;
  readonly pid: number;
  /** By the clock of the store. */
  readonly atMs: number;
}

/** A process that calls. */
export interface Caller {
  readonly pid: number;
  tell(order: ResourceOrder): void;
  /** Starts a run in the foreground, and answers its id. */
  call(names: readonly string[], lastsMs: number | null, by?: "left" | "right"): Promise<string>;
  /** How a run that it started ended. */
  ended(run: string): Promise<{ readonly state: string }>;
  /** Kills it and waits until it is gone. */
  die(): Promise<void>;
}

/** What the processes of a test share, and a mill on it in this process. */
export interface ResourceWorld {
  readonly mill: Millrace;
  readonly pipelines: ResourcePipelines;
  start(): Promise<Caller>;
  startMany(count: number): Promise<readonly Caller[]>;
  /** Lets these calls end. */
  go(...names: readonly string[]): void;
  readLog(): readonly LoggedCall[];
  /** Names of the calls that began, in their order. */
  begun(): readonly string[];
  /** Waits until so many calls began. */
  untilBegun(count: number): Promise<void>;
  /** Waits until it is so. */
  until(isSo: () => boolean | Promise<boolean>): Promise<void>;
  /** Who holds permits of the key, and who waits for it. */
  resource(): Promise<{ readonly held: number; readonly waiting: number }>;
}

/** A store, and what its processes call. */
export async function makeResourceWorld(options: ResourceOptions<never>): Promise<ResourceWorld> {
  const world = makeDurableWorld();
  const { folder, url } = world;
  const shared: ResourceShared = { store: url, folder, options };
  const clock = { nowMs: (): number => 0 };
  const pipelines = makeCallers(shared, () => clock.nowMs());
  const mill = await world.open([pipelines.left, pipelines.right, pipelines.other]);
  clock.nowMs = () => mill.store.nowMs();
  const log = logOf(folder);
  const readLog = (): readonly LoggedCall[] =>
    existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n").map(toCall) : [];
  const begun = (): readonly string[] =>
    readLog().flatMap(({ what, name }) => (what === "begin" ? [name] : []));
  const start = (): Promise<Caller> => startCaller(shared);
  return {
    mill,
    pipelines,
    start,
    startMany: (count) => Promise.all(Array.from({ length: count }, start)),
    go: (...names) => {
      for (const name of names) writeFileSync(join(folder, `go-${name}`), "");
    },
    readLog,
    begun,
    untilBegun: (count) => until(() => begun().length >= count),
    until,
    resource: async () => {
      const record = await mill.store.findResource({ resource: "api", key: "" });
      return { held: record?.held ?? 0, waiting: record?.waiting ?? 0 };
    },
  };
}

function toCall(line: string): LoggedCall {
  const [what = "", name = "", pid, atMs] = line.split(" ");
  return { what, name, pid: Number(pid), atMs: Number(atMs) };
}

/** Other processes tell nothing of what they see: it is looked for. The test's own time ends what never comes. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function startCaller(shared: ResourceShared): Promise<Caller> {
  const child = spawn(process.execPath, [...programWords(PROGRAM), JSON.stringify(shared)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const gone = once(child, "close");
  const reports: ResourceReport[] = [];
  let heard = Promise.withResolvers<void>();
  createInterface(child.stdout).on("line", (line) => {
    reports.push(JSON.parse(line) as ResourceReport);
    heard.resolve();
    heard = Promise.withResolvers();
  });
  const next = async <T>(find: (report: ResourceReport) => T | undefined): Promise<T> => {
    for (;;) {
      const index = reports.findIndex((report) => find(report) !== undefined);
      const [report] = index < 0 ? [] : reports.splice(index, 1);
      const found = report === undefined ? undefined : find(report);
      if (found !== undefined) return found;
      await heard.promise;
    }
  };
  const tell = (order: ResourceOrder): void => void child.stdin.write(`${JSON.stringify(order)}\n`);
  const pid = await next((report) => (report.kind === "open" ? report.pid : undefined));
  return {
    pid,
    tell,
    call: async (names, lastsMs, by = "left") => {
      const calls: Calls = { names, lastsMs };
      tell({ kind: "call", by, calls });
      return await next((report) => (report.kind === "live" ? report.run : undefined));
    },
    ended: (run) =>
      next((report) => (report.kind === "ended" && report.run === run ? report : undefined)),
    die: async () => {
      child.kill("SIGKILL");
      await gone;
    },
  };
}
