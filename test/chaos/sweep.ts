// Suite "sweep": a process meets a fault at one write-type system call after the other, of one that queues runs into
// a new store and of one that works a queue. SIGKILL before the call, an fsync that fails with EIO, a write that
// fails with ENOSPC. Whoever comes next finishes, and the store is judged.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Passage } from "../e2e/kill/reference-pipeline.ts";
import { rowsOf } from "../e2e/kill/judge.ts";
import { type Ended, runChild } from "./child.ts";
import { makePassages, Scene } from "./scene.ts";
import {
  missingStrace,
  removeFolder,
  spread,
  type Suite,
  type Tally,
  type Trial,
} from "./suite.ts";

const CALLS = ["pwrite64", "fdatasync", "fsync", "rename", "ftruncate", "unlink"] as const;
const RUNS = 4;
const ITEMS = 5;

type Phase = "queue" | "work";
type Fault = "kill" | "eio" | "enospc";

/** A fault, and at which call of its kind it strikes; strace counts the calls of each thread apart. */
interface Point {
  readonly phase: Phase;
  readonly fault: Fault;
  readonly call: (typeof CALLS)[number];
  readonly at: number;
}

const INJECTIONS: Readonly<Record<Fault, string>> = {
  kill: "signal=KILL",
  eio: "error=EIO",
  enospc: "error=ENOSPC",
};
/** Which faults a call can meet. */
const FAULTS: Readonly<Record<Fault, readonly string[]>> = {
  kill: CALLS,
  eio: ["fsync", "fdatasync"],
  enospc: ["pwrite64"],
};

/** A store in which runs are queued, and what queues and works them. */
class Sweep {
  readonly #folder: string;
  readonly #passages: readonly Passage[];
  readonly #template: Scene;

  constructor(folder: string, seed: number) {
    this.#folder = folder;
    this.#passages = makePassages(`sweep${seed}`, RUNS, ITEMS);
    this.#template = new Scene(join(folder, "template"));
  }

  /** Every point of an undisturbed passage. */
  async list(): Promise<readonly Point[]> {
    // The first process writes compiled code as well, which is not counted.
    const first = new Scene(join(this.#folder, "first"));
    await runChild(first.job({ passages: this.#passages }));
    first.remove();
    const queueing = await this.#count("queue", this.#template);
    const worker = new Scene(join(this.#folder, "counted"), this.#template);
    const working = await this.#count("work", worker);
    await worker.judge(this.#passages);
    worker.remove();
    return (["kill", "eio", "enospc"] as const).flatMap((fault) => [
      ...toPoints("work", fault, working),
      ...toPoints("queue", fault, queueing),
    ]);
  }

  async #count(phase: Phase, scene: Scene): Promise<ReadonlyMap<string, number>> {
    const log = join(this.#folder, `${phase}.trace`);
    const under = ["strace", "-f", "--seccomp-bpf", "-o", log, "-e", `trace=${CALLS.join(",")}`];
    const ended = await runChild(this.#jobOf(phase, scene), { under });
    assert.equal(ended.code, 0, ended.stderr);
    return countCalls(readFileSync(log, "utf8"));
  }

  #jobOf(phase: Phase, scene: Scene): object {
    return phase === "work" ? scene.job() : scene.job({ passages: this.#passages, work: false });
  }

  async strike(point: Point): Promise<Tally> {
    const { phase, fault, call, at } = point;
    const folder = join(this.#folder, nameOf(point).replaceAll(" ", "-"));
    const scene = new Scene(folder, phase === "work" ? this.#template : undefined);
    const inject = `inject=${call}:${INJECTIONS[fault]}:when=${at}`;
    // Without a filter in the kernel, under which strace's signals get lost.
    const trace = ["strace", "-f", "-o", "/dev/null", "-e", `trace=${call}`];
    const ended = await runChild(this.#jobOf(phase, scene), { under: [...trace, "-e", inject] });
    const met = assertEnd(fault, ended);
    // Where nobody has worked yet there may not even be tables.
    if (phase === "work") scene.look();
    assertAcknowledged(scene, ended);
    // Each has a key: whoever queues them again makes none twice.
    if (phase === "queue") await scene.enqueue(this.#passages);
    await scene.drain();
    await scene.judge(this.#passages, runsSaid(ended, "queued"));
    scene.remove();
    return { [met]: 1 };
  }
}

function toPoints(phase: Phase, fault: Fault, counts: ReadonlyMap<string, number>): Point[] {
  return CALLS.filter((call) => FAULTS[fault].includes(call)).flatMap((call) =>
    Array.from({ length: counts.get(call) ?? 0 }, (_, n) => ({ phase, fault, call, at: n + 1 })),
  );
}

function nameOf({ phase, fault, call, at }: Point): string {
  return `${phase} ${fault} ${call} ${at}`;
}

/** By call: how often the thread that made it most often did. */
function countCalls(log: string): ReadonlyMap<string, number> {
  const threads = new Map<string, number>();
  const most = new Map<string, number>();
  for (const line of log.split("\n")) {
    const [, thread, call] = /^(\d+) +([a-z0-9]+)\(/.exec(line) ?? [];
    if (thread === undefined || call === undefined) continue;
    const count = (threads.get(`${thread} ${call}`) ?? 0) + 1;
    threads.set(`${thread} ${call}`, count);
    most.set(call, Math.max(count, most.get(call) ?? 0));
  }
  return most;
}

/** How a process may end: killed, or with an error of ours and no run failed, or well. */
function assertEnd(fault: Fault, ended: Ended): string {
  assert.deepEqual(
    runsSaid(ended, "failed"),
    [],
    `runs failed because of a fault: ${ended.stderr}`,
  );
  if (ended.signal === "SIGKILL") {
    assert.equal(fault, "kill");
    return "killed";
  }
  if (ended.code === 0) return fault === "kill" ? "not reached" : `${fault} survived`;
  assert.match(ended.stderr, /MillraceError/, `it ended with ${ended.code}`);
  return `${fault} ended it`;
}

function runsSaid(ended: Ended, word: string): readonly string[] {
  return ended.said.filter((one) => one.word === word).map(({ run }) => run);
}

/** What was acknowledged is there now, before anybody else has come. */
function assertAcknowledged(scene: Scene, ended: Ended): void {
  const queued = runsSaid(ended, "queued");
  const succeeded = runsSaid(ended, "succeeded");
  if (queued.length + succeeded.length === 0) return;
  const database = new DatabaseSync(scene.store, { readOnly: true });
  const rows = rowsOf(database, "SELECT id, state FROM runs");
  database.close();
  const states = new Map(rows.map((row) => [row["id"], row["state"]]));
  for (const id of queued) assert.ok(states.has(id), `run ${id} was acknowledged and is lost`);
  for (const id of succeeded)
    assert.equal(states.get(id), "succeeded", `acknowledged end of ${id}`);
}

/** Most of the trials are kills. */
function choose(points: readonly Point[], count: number): readonly Point[] {
  if (count >= points.length) return points;
  const kills = points.filter(({ fault }) => fault === "kill");
  const others = points.filter(({ fault }) => fault !== "kill");
  const killCount = Math.ceil(count * 0.7);
  return [...spread(kills, killCount), ...spread(others, count - killCount)];
}

export const sweep: Suite = {
  name: "sweep",
  countDefault: 40,
  missing: missingStrace,
  async prepare({ seed, count, folder }): Promise<readonly Trial[]> {
    removeFolder(folder);
    const work = new Sweep(folder, seed);
    const points = choose(await work.list(), count);
    return points.map((point) => ({ name: nameOf(point), run: () => work.strike(point) }));
  },
};
