// Suite "power": the power goes. What one process writes is recorded, and images of the disk are built at every sync
// and at random moments, with what was not synced dropped, reordered or torn. Each is opened: it hangs together, what
// was acknowledged before the cut is there, and no run has a result that is not its own. Every tenth goes on to work.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { makeSeededRandom } from "../../src/std/random.ts";
import { rowsOf } from "../e2e/kill/judge.ts";
import type { Passage } from "../e2e/kill/reference-pipeline.ts";
import { runChild } from "./child.ts";
import { DiskImage, LOSSES, type Loss } from "./disk-image.ts";
import { makePassages, Scene, wantedOf } from "./scene.ts";
import {
  missingStrace,
  removeFolder,
  spread,
  type Suite,
  type Tally,
  type Trial,
} from "./suite.ts";
import { type Operation, readWriteLog, recordInto } from "./write-log.ts";

/** Enough for SQLite to bring its log into the file, and to begin it anew, several times. */
const RUNS = 24;
const ITEMS = 5;
const RANDOM_CUTS = 1_000;
const WORK_EVERY = 10;

/** A moment, and what becomes of what was not synced. */
interface Cut {
  readonly at: number;
  readonly loss: Loss;
  readonly number: number;
}

class Recording {
  readonly #folder: string;
  readonly #seed: number;
  readonly #passages: readonly Passage[];
  readonly #recorded: string;
  #operations: readonly Operation[] = [];
  /** The disk after so many operations: cuts come in order, mostly. */
  #disk: DiskImage;
  #taken = 0;

  constructor(folder: string, seed: number) {
    this.#folder = folder;
    this.#seed = seed;
    this.#passages = makePassages(`power${seed}`, RUNS, ITEMS);
    this.#recorded = join(folder, "recorded");
    this.#disk = new DiskImage(join(this.#recorded, "store"));
  }

  /** Records, or reads what was recorded before: every recording is another one. */
  async load(): Promise<void> {
    const log = join(this.#folder, "writes.trace");
    if (!existsSync(log)) {
      const scene = new Scene(this.#recorded);
      const job = scene.job({ passages: this.#passages, concurrency: 3 });
      const ended = await runChild(job, { under: recordInto(log) });
      assert.equal(ended.code, 0, ended.stderr);
    }
    this.#operations = readWriteLog(log, join(this.#recorded, "store"));
  }

  /** Around every sync, and at random moments: each with every loss, or, where fewer are wanted, with one in turn. */
  list(count: number): readonly Cut[] {
    const random = makeSeededRandom(this.#seed);
    const points = new Set(
      this.#operations.flatMap(({ kind }, at) => (kind === "sync" ? [at, at + 1] : [])),
    );
    for (let cut = 0; cut < RANDOM_CUTS; cut += 1)
      points.add(Math.floor(random.float() * (this.#operations.length + 1)));
    const moments = [...points].toSorted((left, right) => left - right);
    const cuts = moments.flatMap((at) =>
      LOSSES.map((loss, index) => ({ at, loss, number: at * LOSSES.length + index })),
    );
    if (count >= cuts.length) return cuts;
    const some = spread(moments, count);
    const more = spread(cuts, count - some.length);
    const turns = some.map((at, turn) => {
      const index = turn % LOSSES.length;
      return { at, loss: LOSSES[index] ?? "none", number: at * LOSSES.length + index };
    });
    const all = new Map([...turns, ...more].map((cut) => [cut.number, cut]));
    return [...all.values()].toSorted((left, right) => left.number - right.number);
  }

  async cut({ at, loss, number }: Cut, isWorked: boolean): Promise<Tally> {
    const scene = new Scene(join(this.#folder, `image-${number}`));
    const random = makeSeededRandom(this.#seed * 1_000_000 + number);
    this.#diskAt(at).writeTo(join(scene.folder, "store"), loss, random);
    const said = this.#operations
      .slice(0, at)
      .flatMap((operation) => (operation.kind === "said" ? operation.text.trim().split("\n") : []));
    await this.#judge(scene, said);
    if (isWorked) await this.#goOn(scene);
    scene.remove();
    return { images: 1, [loss]: 1, "worked on": isWorked ? 1 : 0 };
  }

  async #judge(scene: Scene, said: readonly string[]): Promise<void> {
    const mill = await scene.open();
    try {
      assertSound(scene.store);
      const { runs } = await mill.runs({ limit: 500 });
      const states = new Map(runs.map(({ id, state }) => [id, state]));
      for (const line of said) {
        const [word, id = ""] = line.split(" ");
        if (word === "queued") assert.ok(states.has(id), `run ${id} was acknowledged and is lost`);
        if (word === "succeeded")
          assert.equal(states.get(id), "succeeded", `acknowledged end of ${id}`);
      }
      for (const { id, state, key } of runs) {
        if (state !== "succeeded") continue;
        const passage = this.#passages.find(({ salt }) => salt === key);
        assert.ok(passage !== undefined, `a run with the key "${key}"`);
        const { outputs } = await mill.result(id);
        assert.deepEqual(outputs, (await wantedOf(passage)).outputs, `outputs of ${id}`);
      }
    } finally {
      await mill.close();
    }
  }

  /** Whoever queued it does so again, and it is worked on to its end. */
  async #goOn(scene: Scene): Promise<void> {
    await scene.enqueue(this.#passages);
    scene.look();
    await scene.drain();
    await scene.judge(this.#passages);
  }

  #diskAt(at: number): DiskImage {
    if (at < this.#taken) {
      this.#disk = new DiskImage(join(this.#recorded, "store"));
      this.#taken = 0;
    }
    for (const operation of this.#operations.slice(this.#taken, at)) this.#disk.take(operation);
    this.#taken = at;
    return this.#disk;
  }
}

function assertSound(store: string): void {
  const database = new DatabaseSync(store, { readOnly: true });
  try {
    assert.deepEqual(rowsOf(database, "PRAGMA integrity_check"), [{ integrity_check: "ok" }]);
    assert.deepEqual(rowsOf(database, "PRAGMA foreign_key_check"), []);
  } finally {
    database.close();
  }
}

export const power: Suite = {
  name: "power",
  countDefault: 100,
  missing: missingStrace,
  async prepare({ seed, count, folder, isFresh }): Promise<readonly Trial[]> {
    if (isFresh) removeFolder(folder);
    const recording = new Recording(folder, seed);
    await recording.load();
    return recording.list(count).map((cut, turn) => ({
      name: `${cut.loss} at ${cut.at}, image ${cut.number}`,
      run: () => recording.cut(cut, turn % WORK_EVERY === 0),
    }));
  },
};
