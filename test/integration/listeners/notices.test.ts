// Notices, from what happens to who is told: once per event and target, signed, repeated until they are taken, and kept
// over crashes. Receivers are real servers on loopback.

import { createHmac } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import type { NotifySettings, NotifyTarget } from "../../../src/model/compile/notify-settings.ts";
import { NOTICES_PER_MINUTE_MAX } from "../../../src/model/limits.ts";
import { readMillHealth } from "../../../src/service/health/mill-health.ts";
import { noteHealth } from "../../../src/service/health/note-health.ts";
import { NoticeBudget } from "../../../src/service/listeners/notices/notice-budget.ts";
import { LiveNotices } from "../../../src/service/listeners/notices/live-notices.ts";
import { readNotices } from "../../../src/service/listeners/notices/read-notices.ts";
import { setNotices } from "../../../src/service/listeners/notices/set-notices.ts";
import { startNotices } from "../../../src/service/listeners/notices/watch-notices.ts";
import { contextOf } from "../../../src/service/mill-context.ts";
import type { Millrace } from "../../../src/service/millrace.ts";
import { definePipeline } from "../../../src/service/pipeline.ts";
import { makeDurableWorld, type DurableWorld } from "../../support/durable/durable-world.ts";
import { startReceiver, type Received } from "../../support/listeners/receiver.ts";

const KEY = Buffer.alloc(32, 7);
const SECRET = `whsec_${KEY.toString("base64")}`;
const PIPELINE = definePipeline({
  name: "demo",
  stages: [
    {
      id: "only",
      run: (input: unknown) => {
        if (input === "bad") throw new TypeError("no good <b>");
        if (input === "files")
          throw Object.assign(new Error("bad bytes"), { code: "SQLITE_CORRUPT" });
      },
    },
  ],
});

function makeSettings(url: string, target: Partial<NotifyTarget> = {}): NotifySettings {
  return {
    targets: { ops: { url, secret: SECRET, allowPrivate: true, ...target } },
    retry: { attempts: 3, initialDelay: 1, jitter: "none" },
  };
}

/** Opens a mill that makes and delivers notices until the test ends. */
async function openTelling(world: DurableWorld, notify: NotifySettings): Promise<Millrace> {
  const mill = await world.open([PIPELINE], { notify });
  const notices = startNotices(mill);
  const stop = new AbortController();
  const work = mill.work({ signal: stop.signal });
  onTestFinished(async () => {
    stop.abort();
    await Promise.all([work, notices.stop()]);
  });
  return mill;
}

async function enqueue(mill: Millrace, ...inputs: readonly string[]): Promise<void> {
  await mill.enqueue(
    PIPELINE,
    inputs.map((input) => ({ input })),
  );
}

function parse({ body }: Received): Record<string, unknown> {
  const parsed: unknown = JSON.parse(body);
  expect(parsed).toBeTypeOf("object");
  return { ...(parsed as object) };
}

/** The first event of this type after which nothing else has to be waited for. */
async function waitForEvent(mill: Millrace, type: string): Promise<Record<string, unknown>> {
  for await (const event of mill.events({ after: 0, types: [type] })) return { ...event.data };
  throw new Error(`No ${type} came.`);
}

function checkSignature({ headers, body }: Received): void {
  const [id, time] = [headers["webhook-id"], headers["webhook-timestamp"]];
  const mac = createHmac("sha256", KEY).update(`${String(id)}.${String(time)}.${body}`);
  expect(headers["webhook-signature"]).toBe(`v1,${mac.digest("base64")}`);
}

test("a run that fails is told once, with what failed, and signed so that who knows the secret can check it", async () => {
  const receiver = await startReceiver({ status: 204 });
  const mill = await openTelling(makeDurableWorld(), makeSettings(receiver.url));
  await enqueue(mill, "good", "bad");

  const received = await receiver.next();
  checkSignature(received);
  const [run] = await mill.store.listRuns({ pipeline: "demo", states: ["failed"], limit: 1 });
  expect(parse(received)).toMatchObject({
    schema: "millrace.notice/1",
    id: received.headers["webhook-id"],
    type: "run.failed",
    pipeline: "demo",
    run: { id: run?.id, state: "failed", stage: "only", class: "bug" },
  });
  expect(received.headers["content-type"]).toBe("application/json");
});

test("a notice that is refused is sent again with the same id and a signature of its own time", async () => {
  const receiver = await startReceiver({ status: 500 }, { status: 503 }, { status: 200 });
  const mill = await openTelling(makeDurableWorld(), makeSettings(receiver.url));
  await enqueue(mill, "bad");

  const tries = [await receiver.next(), await receiver.next(), await receiver.next()];
  for (const one of tries) checkSignature(one);
  expect(new Set(tries.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
});

test("who asks for patience gets it: Retry-After is honoured", async () => {
  const receiver = await startReceiver({ status: 429, headers: { "retry-after": "120" } });
  const mill = await openTelling(makeDurableWorld(), makeSettings(receiver.url));
  await enqueue(mill, "bad");
  await receiver.next();

  const { delayMs, class: kind } = await waitForEvent(mill, "stage.waiting");
  expect(kind).toBe("throttled");
  expect(delayMs).toBeGreaterThanOrEqual(120_000);
  expect(delayMs).toBeLessThanOrEqual(126_000);
});

test("a notice that is given up is told as an event, stays in the queue, and is no notice of its own", async () => {
  const receiver = await startReceiver({ status: 500 });
  const mill = await openTelling(makeDurableWorld(), makeSettings(receiver.url));
  await enqueue(mill, "bad");

  expect(await waitForEvent(mill, "notice.failed")).toEqual({
    target: "ops",
    event: "run.failed",
    message: `Target "ops" answered 500.`,
  });
  expect(receiver.received).toHaveLength(3);
  const kept = await mill.store.listRuns({ pipeline: "millrace.notify", limit: 10 });
  expect(kept.map(({ state }) => state)).toEqual(["failed"]);
  // Three of them would be unstable, were it a pipeline of the user's.
  await enqueue(mill, "bad", "bad");
  for await (const { run } of mill.events({ after: 0, types: ["run.failed"] })) {
    const failed = await mill.store.listRuns({
      pipeline: "millrace.notify",
      states: ["failed"],
      limit: 9,
    });
    if (failed.length === 3 && run !== "") break;
  }
  expect(await noteHealth(contextOf(mill), "millrace.notify")).toBe(false);
  const { pipelines } = await readMillHealth(contextOf(mill), {});
  expect(pipelines.map(({ pipeline }) => pipeline)).toEqual(["demo"]);
});

test("the first success after a failure is told, the next is not", async () => {
  const receiver = await startReceiver({ status: 200 });
  const settings = makeSettings(receiver.url, { on: ["run.recovered", "pipeline.blocked"] });
  const mill = await openTelling(makeDurableWorld(), settings);
  for (const input of ["good", "bad", "good", "good", "files"])
    await (await mill.start(PIPELINE, input)).result();
  // What comes last tells that nothing else came before it.
  await noteHealth(contextOf(mill), "demo");

  const told = [parse(await receiver.next()), parse(await receiver.next())];
  expect(new Set(told.map(({ type }) => type))).toEqual(
    new Set(["pipeline.blocked", "run.recovered"]),
  );
  expect(receiver.received).toHaveLength(2);
});

test("a chat gets one sentence that its markup cannot read, and nothing else", async () => {
  const receiver = await startReceiver({ status: 200 });
  const mill = await openTelling(makeDurableWorld(), {
    targets: { chat: { url: receiver.url, form: "slack", allowPrivate: true } },
  });
  await enqueue(mill, "bad");
  const received = await receiver.next();
  expect(parse(received)).toEqual({
    text: expect.stringMatching(
      /^Run \w+ of pipeline "demo" failed at stage "only": no good &lt;b&gt;$/,
    ),
  });
  expect(received.headers["webhook-signature"]).toBeUndefined();
});

test("what nobody asked for is not told: another pipeline, another event", async () => {
  const receiver = await startReceiver({ status: 200 });
  const target = { url: receiver.url, secret: SECRET, allowPrivate: true };
  const mill = await openTelling(makeDurableWorld(), {
    targets: {
      elsewhere: { ...target, pipelines: ["other"] },
      later: { ...target, on: ["pipeline.unblocked"] },
      all: target,
    },
  });
  await enqueue(mill, "bad");
  await receiver.next();
  const made = await mill.store.listRuns({ pipeline: "millrace.notify", limit: 10 });
  expect(made.map(({ tags }) => tags["target"])).toEqual(["all"]);
});

test("two processes that watch tell an event once", async () => {
  const receiver = await startReceiver({ status: 200 });
  const world = makeDurableWorld();
  const settings = makeSettings(receiver.url);
  const mills = [await openTelling(world, settings), await openTelling(world, settings)];
  const [first] = mills;
  if (first !== undefined) await enqueue(first, "bad", "bad", "bad");

  const told = [await receiver.next(), await receiver.next(), await receiver.next()];
  expect(new Set(told.map(({ headers }) => headers["webhook-id"])).size).toBe(3);
  const made = await mills[1]?.store.listRuns({ pipeline: "millrace.notify", limit: 10 });
  expect(made).toHaveLength(3);
});

test("what happened while nobody watched is told by who comes next; what was before the first watch is not", async () => {
  const receiver = await startReceiver({ status: 200 });
  const world = makeDurableWorld();
  const settings = makeSettings(receiver.url);
  const plain = await world.open([PIPELINE]);
  await (await plain.start(PIPELINE, "bad")).result();
  const first = await world.open([PIPELINE], { notify: settings });
  await startNotices(first).stop();
  const missed = await plain.start(PIPELINE, "bad");
  await missed.result();

  await openTelling(world, settings);
  expect(parse(await receiver.next())).toMatchObject({ run: { id: missed.id } });
  expect(receiver.received).toHaveLength(1);
});

test("S26: a target in a private network is refused at the door, and so is a redirect to it", async () => {
  const secret = await startReceiver({ status: 200 });
  const redirecting = await startReceiver({ status: 302, headers: { location: secret.url } });
  const target = { secret: SECRET };
  const mill = await openTelling(makeDurableWorld(), {
    targets: {
      number: { ...target, url: secret.url },
      name: { ...target, url: `http://localhost:${secret.port}/hook` },
      short: { ...target, url: `http://127.1:${secret.port}/hook` },
      mapped: { ...target, url: `http://[::ffff:127.0.0.1]:${secret.port}/hook` },
      redirect: { ...target, url: redirecting.url, allowPrivate: true },
    },
  });
  await enqueue(mill, "bad");

  const messages = new Map<unknown, unknown>();
  for await (const { data } of mill.events({ after: 0, types: ["notice.failed"] })) {
    messages.set(data?.["target"], data?.["message"]);
    if (messages.size === 5) break;
  }
  expect(messages.get("redirect")).toBe(
    `Target "redirect" answered 302; redirects are not followed.`,
  );
  for (const name of ["number", "name", "short", "mapped"])
    expect(messages.get(name)).toContain("is not public");
  expect(secret.received).toEqual([]);
});

test("S28: neither the secret nor the address of a chat is in a run, an event or an error", async () => {
  const path = "/services/T0000/B0000/canary0000canary";
  const settings: NotifySettings = {
    targets: {
      away: { url: "http://127.0.0.1:9/hook", secret: SECRET, allowPrivate: true },
      chat: { url: `http://127.0.0.1:9${path}`, form: "slack", allowPrivate: true },
    },
    retry: { attempts: 2, initialDelay: 1, jitter: "none" },
  };
  const world = makeDurableWorld();
  const mill = await openTelling(world, settings);
  await enqueue(mill, "bad");
  const failed = new Set<unknown>();
  for await (const { data } of mill.events({ after: 0, types: ["notice.failed"] }))
    if (failed.add(data?.["target"]).size === 2) break;

  const runs = await mill.store.listRuns({ pipeline: "millrace.notify", limit: 10 });
  const events = await mill.store.listEvents({ after: 0, limit: 1_000 });
  const details = await Promise.all(runs.map(({ id }) => mill.store.loadCheckpoints(id)));
  const text = JSON.stringify([runs, events, details]);
  for (const canary of [SECRET, KEY.toString("base64"), path, "canary"])
    expect(text).not.toContain(canary);
});

test("of more than so many notices within a minute the rest is left out, and the next one says how many", () => {
  const budget = new NoticeBudget();
  const taken = Array.from({ length: NOTICES_PER_MINUTE_MAX + 5 }, () => budget.take("a", 1_000));
  expect(taken.filter((left) => left === 0)).toHaveLength(NOTICES_PER_MINUTE_MAX);
  expect(taken.slice(-5)).toEqual([null, null, null, null, null]);
  expect(budget.take("b", 1_000)).toBe(0);
  expect(budget.take("a", 61_000)).toBe(5);
  expect(budget.take("a", 61_000)).toBe(0);
});

test("names of our own are refused to others, and a mill without targets makes no notices", async () => {
  const world = makeDurableWorld("memory");
  const taken = definePipeline({ name: "millrace.notify", stages: [{ id: "a", run: () => 1 }] });
  await expect(world.open([taken])).rejects.toMatchObject({ code: "OPTION_INVALID" });
  const mill = await world.open([PIPELINE]);
  expect(() => startNotices(mill)).toThrow(/without targets/);
});

test("who is told may change while it works, and what happens while nobody is told is told later", async () => {
  const receiver = await startReceiver({ status: 204 });
  const mill = await makeDurableWorld().open([PIPELINE]);
  const context = contextOf(mill);
  const notices = new LiveNotices(mill, {});
  const stop = new AbortController();
  const work = mill.work({ signal: stop.signal });
  onTestFinished(async () => {
    stop.abort();
    await Promise.all([work, notices.stop()]);
  });
  const tell = async (settings?: NotifySettings): Promise<void> => {
    setNotices(context, await readNotices(settings));
    await notices.renew();
  };
  const failOnce = async (count: number): Promise<void> => {
    await enqueue(mill, "bad");
    const events = mill.events({ after: 0, types: ["run.failed"] });
    for (let seen = 0; seen < count; seen++) await events.next();
    await events.return?.(undefined);
  };

  await notices.renew();
  await tell(makeSettings(receiver.url));
  await failOnce(1);
  expect(parse(await receiver.next())).toMatchObject({ type: "run.failed" });
  expect(context.self.worker?.pipelineNames).toEqual(["demo", "millrace.notify"]);

  await tell();
  await failOnce(2);
  expect(context.self.worker?.pipelineNames).toEqual(["demo"]);
  expect(receiver.received).toHaveLength(1);

  await tell(makeSettings(receiver.url));
  // The second run was the notice of the first.
  expect(parse(await receiver.next())).toMatchObject({ type: "run.failed", run: { name: "3" } });
});
