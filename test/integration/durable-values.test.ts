// What passes between stages and over a resume: copies of values, large ones, state, memos, outputs that are not
// stored, and starts that must not be repeated unseen.

import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "vitest";
import { input, isMillraceError, map, pipeline, stage } from "../../src/exports/index.ts";
import type { Millrace } from "../../src/exports/index.ts";
import {
  makeDurableWorld,
  makeGate,
  STORES,
  type DurableWorld,
  type SomePipeline,
} from "../support/durable/durable-world.ts";

describe.each(STORES)("values on %s", (kind) => {
  test("R28: no stage changes what its caller gave, nor what another stage reads", async () => {
    interface Order {
      lines: string[];
      at: Date;
    }
    const order = input<Order>();
    const first = stage("first", { needs: { order } }, (needs) => {
      needs.order.lines.push("first was here");
      return needs.order;
    });
    const second = stage("second", { needs: { order, first } }, (needs) => {
      const read = JSON.stringify([needs.order.lines, needs.first.lines]);
      needs.first.lines.push("second was here");
      needs.order.at.setTime(0);
      return read;
    });
    const third = stage("third", { needs: { order, first, second } }, (needs) => [
      needs.order.lines,
      needs.order.at,
      needs.first.lines,
    ]);
    const ordering = pipeline("ordering", { input: order, output: { second, third } });
    const mill = await makeDurableWorld(kind).open([ordering]);
    const given: Order = { lines: ["a"], at: new Date(1_000) };
    const run = await mill.start(ordering, given);
    // The caller may go on with its own at once.
    given.lines.push("mine");
    const result = await run.result();

    assert.deepEqual(result.unwrap(), {
      second: JSON.stringify([["a"], ["a", "first was here"]]),
      third: [["a"], new Date(1_000), ["a", "first was here"]],
    });
    assert.deepEqual(given, { lines: ["a", "mine"], at: new Date(1_000) });
    result.outputs.third?.push("after the end" as never);
    assert.equal((await mill.result(run.id)).outputs["third"] instanceof Array, true);
    assert.equal(((await mill.result(run.id)).outputs["third"] as unknown[]).length, 3);
  });

  test("R275: an output of 20 MB lies outside its row and is there after a resume, without being made again", async () => {
    const LETTERS = 20 * 1024 * 1024;
    let made = 0;
    let broken = true;
    const large = stage("large", {}, () => {
      made += 1;
      return { text: "x".repeat(LETTERS) };
    });
    const measure = stage("measure", { needs: { large } }, (needs) => {
      if (broken) throw new Error("not yet");
      return needs.large.text.length;
    });
    const measuring = pipeline("measuring", { output: { measure } });
    const world = makeDurableWorld(kind);
    const mill = await world.open([measuring]);
    const run = await mill.start(measuring, undefined);
    await run.result();
    const record = await mill.store.findStage(run.id, "large");
    assert.equal(record?.output?.kind, "blob");
    if (kind === "sqlite") assert.ok(statSync(world.path).size < 1024 * 1024);

    const again = kind === "memory" ? mill : await reopen(world, mill, [measuring]);
    broken = false;
    const result = await (await again.resume(run.id, { here: true })).result();
    assert.deepEqual(result.outputs, { measure: LETTERS });
    assert.equal(made, 1);
    assert.equal(result.output<{ text: string }>("large")?.text.length, LETTERS);
  });

  test("R29: what a stage set is seen by later ones, by their conditions, and after a resume", async () => {
    let broken = true;
    const seen: unknown[] = [];
    const set = stage("set", {}, (_needs, ctx) => {
      assert.equal(ctx.state.get("count", 7), 7);
      ctx.state.set("count", { value: 1, at: new Date(5) });
      return 0;
    });
    const failing = stage("failing", { needs: { set } }, (_needs, ctx) => {
      ctx.state.set("count", "of an attempt that failed");
      if (broken) throw new Error("not yet");
      return 0;
    });
    const reading = stage(
      "reading",
      {
        needs: { failing },
        when: (_needs, ctx) => {
          seen.push(ctx.state.get("count"));
          return ctx.state.get("flag", false) === false;
        },
      },
      (_needs, ctx) => ctx.state.get("count"),
    );
    const stating = pipeline("stating", { output: { reading } });
    const world = makeDurableWorld(kind);
    const mill = await world.open([stating]);
    const run = await mill.start(stating, undefined);
    await run.result();
    assert.deepEqual(
      (await mill.store.listState(run.id)).map(({ key, stage: by }) => [key, by]),
      [["count", "set"]],
    );

    const again = kind === "memory" ? mill : await reopen(world, mill, [stating]);
    broken = false;
    const result = await (await again.resume(run.id, { here: true })).result();
    const wanted = "of an attempt that failed";
    assert.deepEqual(seen, [wanted]);
    assert.equal(result.output("reading"), wanted);
  });

  test("a memo is made once per run, stage, item and name, whatever fails around it", async () => {
    let failures = 2;
    const made: string[] = [];
    const each = map(
      "each",
      { over: ["a", "b"], key: (one) => one, retry: { attempts: 2, initialDelay: 0 } },
      async (one, _needs, ctx) => {
        const [left, right] = await Promise.all([
          ctx.memo("left", () => (made.push(`left ${one}`), { one, at: new Date(1) })),
          ctx.memo("right", async () => await Promise.resolve((made.push(`right ${one}`), one))),
        ]);
        if (one === "b" && (failures -= 1) >= 0) throw new Error("after the memo");
        return [left, right];
      },
    );
    const memoing = pipeline("memoing", { output: { each } });
    const mill = await makeDurableWorld(kind).open([memoing]);
    const run = await mill.start(memoing, undefined);
    assert.equal((await run.result()).state, "failed");
    const result = await (await mill.resume(run.id, { here: true })).result();

    assert.equal(result.state, "succeeded");
    assert.deepEqual(made.toSorted(), ["left a", "left b", "right a", "right b"]);
    assert.deepEqual(result.output("each"), [
      [{ one: "a", at: new Date(1) }, "a"],
      [{ one: "b", at: new Date(1) }, "b"],
    ]);
  });

  test("an output that is not stored passes by reference, and is made again only where somebody needs it", async () => {
    class Connection {
      readonly opened = true;
    }
    const calls: string[] = [];
    let broken = true;
    const connect = stage("connect", { persist: false }, () => {
      calls.push("connect");
      return new Connection();
    });
    const read = stage("read", { needs: { connect } }, (needs) => {
      calls.push("read");
      assert.ok(needs.connect instanceof Connection);
      return 1;
    });
    const other = stage("other", {}, () => {
      calls.push("other");
      if (broken) throw new Error("not yet");
      return 2;
    });
    const write = stage("write", { needs: { connect, other } }, (needs) => {
      calls.push("write");
      return needs.connect.opened;
    });
    const connecting = pipeline("connecting", { output: { read, write }, failFast: false });
    const mill = await makeDurableWorld(kind).open([connecting]);
    const run = await mill.start(connecting, undefined);
    await run.result();
    assert.deepEqual(calls.toSorted(), ["connect", "other", "read"]);

    broken = false;
    calls.length = 0;
    const result = await (await mill.resume(run.id, { here: true })).result();
    assert.equal(result.state, "succeeded");
    assert.deepEqual(calls.toSorted(), ["connect", "other", "write"]);
    assert.equal(result.stages["read"]?.via, "checkpoint");

    calls.length = 0;
    await (await mill.rerun(run.id, { from: "other" })).result();
    assert.deepEqual(calls.toSorted(), ["connect", "other", "write"]);
  });

  test("what cannot be stored fails its stage and says where it is", async () => {
    const bad = stage("bad", {}, () => ({ list: [1, () => 2] }));
    const one = pipeline("one", { output: { bad } });
    const mill = await makeDurableWorld(kind).open([one]);
    const result = await (await mill.start(one, undefined)).result();

    assert.equal(result.state, "failed");
    assert.match(result.stages["bad"]?.error?.message ?? "", /list.*1.*function/);
    await assert.rejects(mill.start(one, (() => 1) as never), (error) => {
      assert.ok(isMillraceError(error));
      return error.code === "VALUE_NOT_STORABLE";
    });
    assert.equal((await mill.runs({})).runs.length, 1);
  });
});

async function reopen(
  world: DurableWorld,
  mill: Millrace,
  pipelines: readonly SomePipeline[],
): Promise<Millrace> {
  await mill.close();
  return await world.open(pipelines);
}

/** A pipeline whose stage or item waits for ever once it has begun, in a process that then dies. */
async function crashIn(
  world: DurableWorld,
  made: SomePipeline,
  begun: { opened: Promise<void> },
): Promise<string> {
  const doomed = await world.openDoomed([made]);
  const { id } = await doomed.start(made, undefined as never);
  await begun.opened;
  return id;
}

describe("a start that must not be repeated unseen", () => {
  const make = (calls: string[], begun: { open(): void }, isStuck: () => boolean) => {
    const before = stage("before", {}, () => (calls.push("before"), 1));
    const pay = stage("pay", { needs: { before }, idempotent: false }, () => {
      calls.push("pay");
      begun.open();
      return isStuck() ? new Promise<never>(() => {}) : "paid";
    });
    return pipeline("paying", { output: { pay } });
  };

  test("is ambiguous after a crash, and done again only when somebody asks", async () => {
    const calls: string[] = [];
    const begun = makeGate();
    let stuck = true;
    const paying = make(calls, begun, () => stuck);
    const world = makeDurableWorld();
    const run = await crashIn(world, paying, begun);
    stuck = false;
    calls.length = 0;
    const mill = await world.open([paying]);
    const first = await (await mill.resume(run, { here: true })).result();

    assert.equal(first.state, "failed");
    assert.deepEqual(calls, []);
    assert.equal(first.stages["pay"]?.error?.class, "ambiguous");
    const second = await (await mill.resume(run, { here: true })).result();
    assert.equal(second.state, "succeeded");
    assert.deepEqual(calls, ["pay"]);
  });

  test("stays ambiguous when the resume crashes too, before it could say so", async () => {
    const calls: string[] = [];
    const begun = makeGate();
    const paying = make(calls, begun, () => true);
    const world = makeDurableWorld();
    const run = await crashIn(world, paying, begun);
    // A second process claims the run, and dies before anything of it is committed.
    const doomed = await world.openDoomed([paying]);
    const store = doomed.store;
    const apply = store.apply.bind(store);
    const dead = makeGate();
    let claims = 0;
    store.apply = async (writes) => {
      if (writes.some((write) => write.kind === "claim-run")) claims += 1;
      else if (claims > 0) await dead.opened;
      return await apply(writes);
    };
    await doomed.resume(run, { here: true });
    assert.equal(claims, 1);
    calls.length = 0;

    const mill = await world.open([paying]);
    const result = await (await mill.resume(run, { here: true })).result();
    assert.deepEqual(calls, []);
    assert.equal(result.stages["pay"]?.error?.class, "ambiguous");
    dead.open();
  });

  test("is ambiguous item by item: the others are done", async () => {
    const calls: string[] = [];
    const begun = makeGate();
    let stuck = true;
    const pay = map(
      "pay",
      {
        over: ["a", "b", "c"],
        key: (one) => one,
        idempotent: false,
        concurrency: 1,
        onItemFailure: "continue",
      },
      (one) => {
        calls.push(one);
        if (one !== "b" || !stuck) return `paid ${one}`;
        begun.open();
        return new Promise<never>(() => {});
      },
    );
    const paying = pipeline("paying", { output: { pay } });
    const world = makeDurableWorld();
    const run = await crashIn(world, paying, begun);
    stuck = false;
    calls.length = 0;
    const mill = await world.open([paying]);
    const result = await (await mill.resume(run, { here: true })).result();

    assert.deepEqual(calls, ["c"]);
    assert.equal(result.state, "succeeded");
    assert.equal(result.warnings, 1);
    const [a, b, c] = result.outputs["pay"] as { status: string; error?: { class: string } }[];
    assert.deepEqual(
      [a?.status, b?.status, b?.error?.class, c?.status],
      ["succeeded", "failed", "ambiguous", "succeeded"],
    );
  });

  test("a folder of blobs holds one file per content", async () => {
    const world = makeDurableWorld();
    const big = "y".repeat(200_000);
    const one = stage("one", {}, () => big);
    const two = stage("two", {}, () => big);
    const twins = pipeline("twins", { output: { one, two } });
    const mill = await world.open([twins]);
    await (await mill.start(twins, undefined)).result();
    const folder = join(world.folder, "store", "blobs");
    const files = readdirSync(folder, { recursive: true, withFileTypes: true });
    assert.equal(files.filter((file) => file.isFile()).length, 1);
  });
});

test("what is not stored is another value once it is made from something else", async () => {
  const calls: string[] = [];
  const make = (version: string) => {
    const source = stage("source", { version }, () => version);
    const link = stage("link", { needs: { source }, persist: false }, (needs) => {
      calls.push("link");
      return { read: () => needs.source };
    });
    const links = map(
      "links",
      { over: ["a"], key: (one) => one, needs: { source }, persist: false },
      (one, needs) => {
        calls.push("links");
        return { read: () => one + needs.source };
      },
    );
    const ofLink = stage("of-link", { needs: { link } }, (needs) => {
      calls.push("of-link");
      return needs.link.read();
    });
    const ofLinks = stage("of-links", { needs: { links } }, (needs) => {
      calls.push("of-links");
      return needs.links[0]?.read() ?? "";
    });
    const end = stage("end", { needs: { ofLink, ofLinks } }, (needs) => {
      if (version === "1") throw new Error("not yet");
      return needs.ofLink + needs.ofLinks;
    });
    return pipeline("linked", { output: { end } });
  };
  const world = makeDurableWorld();
  const first = make("1");
  const mill = await world.open([first]);
  const run = await mill.start(first, undefined);
  await run.result();
  await mill.close();
  calls.length = 0;

  const again = await world.open([make("2")]);
  const result = await (await again.resume(run.id, { here: true })).result();
  assert.deepEqual(result.outputs, { end: "2a2" });
  assert.deepEqual(calls.toSorted(), ["link", "links", "of-link", "of-links"]);
});
