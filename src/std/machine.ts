// What a process can say of itself so that others on the machine can prove it dead, and a monotonic clock
// that all processes of one boot share. Linux answers everything from /proc; elsewhere boot and start stay
// empty, and only a pid that is gone proves anything.

import { readFileSync, readlinkSync } from "node:fs";
import { availableParallelism, hostname, userInfo } from "node:os";
import { findStartTicks } from "./figures/process-stat.ts";

/** A process as others see it. A pid alone proves nothing: pids come back. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** Changes with every boot of the machine; empty where the platform tells none. */
  readonly bootId: string;
  /** Start of the process in the platform's own unit; empty where the platform tells none. */
  readonly processStart: string;
}

/** This process, and what it can tell about others. */
export interface Machine extends ProcessIdentity {
  /** Variables of this process. What a child gets of them is decided by whoever starts it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the boot, fraction included, the same for all processes; stands still in suspend. */
  sharedMonotonicMs(): number;
  /** True: proven dead. False: it lives. Undefined: cannot tell, as of another host or pid namespace. */
  isGone(process: ProcessIdentity): boolean | undefined;
}

/** Only processes of our own namespace are ever looked up by pid, so it is always our own; a process keeps its own. */
let ownNamespace: string | undefined;

class SystemMachine implements Machine {
  readonly host: string = hostname();
  readonly pid: number = process.pid;
  readonly bootId: string = readText("/proc/sys/kernel/random/boot_id").trim();
  readonly processStart: string = readStart(process.pid) ?? "";
  readonly environment: Readonly<Record<string, string | undefined>> = process.env;

  sharedMonotonicMs(): number {
    return Number(process.hrtime.bigint()) / 1e6;
  }

  isGone(other: ProcessIdentity): boolean | undefined {
    if (other.host !== this.host) return undefined;
    if (other.bootId !== this.bootId) return other.bootId === "" ? undefined : true;
    // Asked most often, by a server about the runs of its own worker.
    const isItself = other.pid === this.pid && other.processStart === this.processStart;
    if (isItself && this.processStart !== "") return false;
    // Containers on one host may share a store and a host name, but never each other's pids.
    if (namespaceOf(other.processStart) !== namespaceOf(this.processStart)) return undefined;
    const found = findProcess(other.pid);
    if (found === "none") return true;
    const start = readStart(other.pid);
    if (start !== undefined) return start !== other.processStart;
    // Without a line in /proc our own user's process is a zombie; another user's may only be hidden.
    return this.bootId !== "" && found === "ours" ? true : undefined;
  }
}

/** Threads that this process may keep busy at once without taking turns, 1 or more. */
export function countProcessors(): number {
  return availableParallelism();
}

/** Name of the user that this process runs as; its number where the machine knows no name for it. */
export function findUserName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}

/** The machine that this process runs on. */
export const systemMachine: Machine = new SystemMachine();

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** `<ticks since boot>@<pid namespace>`; undefined where there is none, or of a process that has ended. */
function readStart(pid: number): string | undefined {
  const ticks = findStartTicks(readText(`/proc/${pid}/stat`));
  if (ticks === undefined) return undefined;
  ownNamespace ??= readNamespace();
  return `${ticks}@${ownNamespace}`;
}

function readNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid").replace(/\D/g, "");
  } catch {
    return "";
  }
}

function namespaceOf(processStart: string): string {
  return processStart.slice(processStart.indexOf("@") + 1);
}

/** Signal 0 asks only; for a process of another user the answer is EPERM. */
function findProcess(pid: number): "ours" | "foreign" | "none" {
  if (!Number.isSafeInteger(pid) || pid <= 0) return "none";
  try {
    process.kill(pid, 0);
    return "ours";
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ESRCH";
    return isMissing ? "none" : "foreign";
  }
}
