import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "vitest";
import {
  makeSqliteWorld,
  OPEN_STORE,
  outputOf,
  type SqliteWorld,
} from "../support/sqlite-world.ts";

/** Runs a program with a disk of its own for the store: a small tmpfs in a private mount namespace. */
function runOnSmallDisk(world: SqliteWorld, program: string): Promise<string> {
  const folder = dirname(world.path);
  mkdirSync(folder);
  const mount = `mount -t tmpfs -o size=3m none "$0" && exec "$@"`;
  return outputOf(world.start(program, ["unshare", "-Urm", "sh", "-c", mount, folder]));
}

// Linux with user namespaces; elsewhere the pause is proven on a store that only says it is full.
const hasNamespaces =
  spawnSync("unshare", ["-Urm", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;

test.skipIf(!hasNamespaces)(
  "a full disk pauses all writes, and every one is kept and done once there is room",
  async () => {
    const world = makeSqliteWorld();
    const printed = await runOnSmallDisk(
      world,
      `import { rmSync, writeFileSync } from "node:fs";
      import { dirname, join } from "node:path";
      ${OPEN_STORE}
      const { GroupCommit } = await import(src + "storage/group-commit.ts");
      const { systemRandom } = await import(src + "std/random.ts");
      const ballast = join(dirname(path), "ballast");
      writeFileSync(ballast, Buffer.alloc(1_500_000, 1));
      const told = [];
      const onFault = (fault) => {
        told.push(fault.kind);
        if (fault.kind === "paused") setTimeout(() => rmSync(ballast), 1_500);
      };
      const commit = new GroupCommit({ store, clock: systemClock, random: systemRandom, onFault });
      const write = fixture.createRun();
      await commit.write(write);
      const run = { id: write.run.id, epoch: 1 };
      const kinds = new Set();
      let stage = 0;
      while (!told.includes("resumed") && stage < 2_000) {
        const puts = Array.from({ length: 5 }, () => {
          const record = { stage: "s" + stage++, output: fixture.inline("x".repeat(2_000)) };
          return commit.write(fixture.putStage(run, record, { events: [{ type: "stage.succeeded" }] }));
        });
        for (const result of await Promise.all(puts)) kinds.add(result.kind);
      }
      await commit.close();
      const stages = await store.listStages(run.id);
      const state = (await store.findRun(run.id)).state;
      await store.close();
      const { DatabaseSync } = await import("node:sqlite");
      const check = new DatabaseSync(path).prepare("PRAGMA integrity_check").get().integrity_check;
      const left = { told, kinds: [...kinds], missing: stage - stages.length, state, check };
      process.stdout.write(JSON.stringify(left));`,
    );

    assert.deepEqual(JSON.parse(printed), {
      told: ["paused", "resumed"],
      kinds: ["done"],
      missing: 0,
      state: "running",
      check: "ok",
    });
  },
);

test.skipIf(!hasNamespaces)(
  "a store that finds no room at its making says so, and is made once there is",
  async () => {
    const world = makeSqliteWorld();
    const printed = await runOnSmallDisk(
      world,
      `import { closeSync, openSync, rmSync, writeSync } from "node:fs";
      import { dirname, join } from "node:path";
      const { openSqliteStore } = await import(src + "storage/sqlite/open.ts");
      const { systemClock: clock } = await import(src + "std/clock.ts");
      const { systemMachine: machine } = await import(src + "std/machine.ts");
      const ballast = join(dirname(path), "ballast");
      const file = openSync(ballast, "w");
      try {
        for (;;) writeSync(file, Buffer.alloc(4096, 1));
      } catch {}
      closeSync(file);
      const options = { url: "sqlite:" + path, path, clock, machine, mode: "write" };
      const error = await openSqliteStore(options).then(() => null, (fault) => fault);
      rmSync(ballast);
      const store = await openSqliteStore(options);
      const blobs = await store.blobs.put(new Uint8Array(10));
      const full = await store.blobs.put(new Uint8Array(4_000_000)).then(() => null, (fault) => fault);
      const runs = await store.listRuns({ limit: 1 });
      await store.close();
      process.stdout.write(JSON.stringify([error?.code, error?.retryable, full?.code, runs]));`,
    );

    assert.deepEqual(JSON.parse(printed), ["STORE_FULL", true, "STORE_FULL", []]);
  },
);
