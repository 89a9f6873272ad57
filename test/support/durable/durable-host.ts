// Starts real processes that work on durable runs, and waits for what they say. They are gone when the test ends.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import type { Order, Report, Shared } from "./durable-process.ts";
import type { DurableWorld } from "./durable-world.ts";
import { programWords } from "../suite-package.ts";

const PROGRAM = join(import.meta.dirname, "durable-process.ts");

/** A process that works. */
export interface Host {
  readonly pid: number;
  readonly reports: readonly Report[];
  tell(order: Order): void;
  /** The next report of one of these kinds, or one that was not asked for yet. */
  next<Kind extends Report["kind"]>(...kinds: Kind[]): Promise<Extract<Report, { kind: Kind }>>;
  signal(name: NodeJS.Signals): void;
  /** Kills it and waits until it is gone. */
  die(): Promise<void>;
}

/** The files that the processes of a test share. */
export interface HostWorld extends Shared {
  start(): Promise<Host>;
  /** Lets every waiting stage end. */
  openGate(): void;
  readEffects(): readonly string[];
}

export function makeHostWorld(world: DurableWorld, options: Pick<Shared, "lease"> = {}): HostWorld {
  const shared: Shared = {
    ...options,
    store: world.url,
    gate: join(world.folder, "gate"),
    effects: join(world.folder, "effects"),
  };
  return {
    ...shared,
    start: () => startHost(shared),
    openGate: () => writeFileSync(shared.gate, ""),
    readEffects: () =>
      existsSync(shared.effects) ? readFileSync(shared.effects, "utf8").trimEnd().split("\n") : [],
  };
}

async function startHost(shared: Shared): Promise<Host> {
  const child = spawn(process.execPath, [...programWords(PROGRAM), JSON.stringify(shared)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const ended = once(child, "close");
  const reports: Report[] = [];
  const unread: Report[] = [];
  const waiting: { kinds: Report["kind"][]; resolve: (report: Report) => void }[] = [];
  createInterface(child.stdout).on("line", (line) => {
    const report = JSON.parse(line) as Report;
    reports.push(report);
    const index = waiting.findIndex(({ kinds }) => kinds.includes(report.kind));
    if (index === -1) unread.push(report);
    else waiting.splice(index, 1)[0]?.resolve(report);
  });
  const next = async <Kind extends Report["kind"]>(
    ...kinds: Kind[]
  ): Promise<Extract<Report, { kind: Kind }>> => {
    const isWanted = (report: Report): boolean => kinds.some((kind) => kind === report.kind);
    const index = unread.findIndex(isWanted);
    const found =
      index === -1
        ? await new Promise<Report>((resolve) => waiting.push({ kinds, resolve }))
        : unread.splice(index, 1)[0];
    // It was looked for by these kinds.
    return found as Extract<Report, { kind: Kind }>;
  };
  const { pid } = await next("open");
  return {
    pid,
    reports,
    tell: (order) => void child.stdin.write(`${JSON.stringify(order)}\n`),
    next,
    signal: (name) => void child.kill(name),
    die: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
