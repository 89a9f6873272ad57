// A disk that loses power: takes the recorded calls of a process one by one, knows what of them was synced, and
// writes out what a disk may hold at that moment. Strict: a name is there for sure only when its folder was synced,
// bytes only when their file was; of the rest any part may be there, names in their order.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { Random } from "../../src/std/random.ts";
import type { Operation } from "./write-log.ts";

/** What becomes of what was not synced: nothing of it is there, all, some of the writes, or some of their sectors. */
export const LOSSES = ["none", "all", "reordered", "torn512", "torn4096"] as const;
export type Loss = (typeof LOSSES)[number];

type Change = Extract<Operation, { kind: "write" | "truncate" }>;
type Naming = Extract<Operation, { kind: "create" | "remove" | "folder" | "rename" }>;

interface Inode {
  /** What was synced. */
  bytes: Buffer;
  pending: Change[];
}

type Names = Map<string, Inode | "folder">;

interface PendingName {
  readonly folder: string;
  readonly apply: (names: Names) => void;
}

/** The disk under one folder. */
export class DiskImage {
  readonly #root: string;
  /** As the process saw it. */
  readonly #seen: Names = new Map();
  /** As it is on the disk for sure. */
  readonly #kept: Names = new Map();
  #pending: PendingName[] = [];

  constructor(root: string) {
    this.#root = root;
    this.#seen.set(root, "folder");
    this.#kept.set(root, "folder");
  }

  /** Does what the process did. */
  take(operation: Operation): void {
    switch (operation.kind) {
      case "write":
      case "truncate":
        this.#fileAt(operation.path).pending.push(operation);
        return;
      case "sync":
        this.#sync(operation.path);
        return;
      case "said":
        return;
      default:
        this.#rename(operation);
    }
  }

  /** Writes out what may be left. */
  writeTo(target: string, loss: Loss, random: Random): void {
    rmSync(target, { recursive: true, force: true });
    const names: Names = new Map(this.#kept);
    for (const { apply } of this.#pending.slice(0, this.#namesLeft(loss, random))) apply(names);
    // Shorter paths first: a folder before what is in it. What is in a folder that was lost is lost with it.
    const there = [...names.keys()].toSorted().filter((path) => this.#isReached(names, path));
    for (const path of there) {
      const inode = names.get(path);
      const place = join(target, relative(this.#root, path));
      if (inode === "folder") mkdirSync(place, { recursive: true });
      else if (inode !== undefined)
        writeFileSync(place, applyAll(inode.bytes, leave(inode.pending, loss, random)));
    }
  }

  #isReached(names: Names, path: string): boolean {
    if (path === this.#root) return true;
    const folder = dirname(path);
    return names.get(folder) === "folder" && this.#isReached(names, folder);
  }

  #namesLeft(loss: Loss, random: Random): number {
    if (loss === "none") return 0;
    return loss === "all"
      ? this.#pending.length
      : Math.floor(random.float() * (this.#pending.length + 1));
  }

  #sync(path: string): void {
    const inode = this.#seen.get(path);
    if (inode === "folder") {
      const due = this.#pending.filter(({ folder }) => folder === path);
      this.#pending = this.#pending.filter(({ folder }) => folder !== path);
      for (const { apply } of due) apply(this.#kept);
    } else if (inode !== undefined) {
      inode.bytes = applyAll(inode.bytes, inode.pending);
      inode.pending = [];
    }
  }

  #fileAt(path: string): Inode {
    const inode = this.#seen.get(path);
    if (inode === undefined || inode === "folder") throw new Error(`No file "${path}" was made.`);
    return inode;
  }

  #rename(operation: Naming): void {
    const { path } = operation;
    if (operation.kind === "create" && this.#seen.has(path)) return;
    const found = this.#seen.get(path);
    const fresh: Inode = { bytes: Buffer.alloc(0), pending: [] };
    const apply = (names: Names): void => {
      if (operation.kind === "folder") names.set(path, "folder");
      else if (operation.kind === "create") names.set(path, fresh);
      else names.delete(path);
      if (operation.kind === "rename" && found !== undefined) names.set(operation.to, found);
    };
    apply(this.#seen);
    this.#pending.push({ folder: dirname(path), apply });
  }
}

function leave(pending: readonly Change[], loss: Loss, random: Random): readonly Change[] {
  if (loss === "none") return [];
  if (loss === "all") return pending;
  const isLeft = (): boolean => random.float() < 0.5;
  if (loss === "reordered") return pending.filter(isLeft);
  const sectorBytes = loss === "torn512" ? 512 : 4096;
  return pending.flatMap((change) =>
    change.kind === "write" ? toSectors(change, sectorBytes).filter(isLeft) : [change],
  );
}

/** A write as those of the sectors that it touches. */
function toSectors(write: Extract<Change, { kind: "write" }>, sectorBytes: number): Change[] {
  const { at, bytes } = write;
  const parts: Change[] = [];
  for (let from = at; from < at + bytes.length;) {
    const to = Math.min(at + bytes.length, (Math.floor(from / sectorBytes) + 1) * sectorBytes);
    parts.push({ ...write, at: from, bytes: bytes.subarray(from - at, to - at) });
    from = to;
  }
  return parts;
}

function applyAll(start: Buffer, changes: readonly Change[]): Buffer {
  if (changes.length === 0) return start;
  let size = start.length;
  let sizeMax = size;
  for (const change of changes) {
    size =
      change.kind === "truncate" ? change.size : Math.max(size, change.at + change.bytes.length);
    sizeMax = Math.max(sizeMax, size);
  }
  const bytes = Buffer.alloc(sizeMax);
  start.copy(bytes);
  for (const change of changes) {
    if (change.kind === "write") change.bytes.copy(bytes, change.at);
    else bytes.fill(0, change.size);
  }
  return bytes.subarray(0, size);
}
