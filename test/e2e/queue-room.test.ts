// A queue with a maximum, on the command line: refused with 4, with the command that makes room.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { documentOf, startHost } from "../support/host.ts";

const NARROW = `
import { definePipeline } from "millrace";
export const narrow = definePipeline({ name: "narrow", maxQueued: 2, stages: [{ id: "a", run: () => 1 }] });
`;
const host = startHost();
afterAll(() => host.close());

function setup() {
  const folder = host.makeFolder({ "narrow.ts": NARROW });
  const call = (...argv: readonly string[]) => host.call(argv, { folder });
  return { folder, call };
}

test("R172: queue enqueue into a full queue ends with 4, and what it prints makes room", async () => {
  const { call } = setup();
  await call("queue", "enqueue", "narrow.ts", "--key", "a");
  await call("queue", "enqueue", "narrow.ts", "--key", "b", "--delay", "1h");

  const refused = await call("queue", "enqueue", "narrow.ts", "--key", "c");
  const known = await call("queue", "enqueue", "narrow.ts", "--key", "a");
  const json = await call("queue", "enqueue", "narrow.ts", "--json");
  const [, command = ""] = /next +npx millrace (.+)/.exec(refused.stderr) ?? [];
  const worked = await call(...command.split(" "));
  const again = await call("queue", "enqueue", "narrow.ts", "--key", "c");

  expect([refused.exitCode, refused.stdout]).toEqual([4, ""]);
  expect(refused.stderr).toContain(
    'error: the queue of pipeline "narrow" is full: at most 2 of its runs may be queued or waiting. 0 new, 1 refused\n',
  );
  expect(refused.stderr).toContain("QUEUE_FULL (exit 4)");
  expect(known).toMatchObject({ exitCode: 0, stdout: "already queued 1 (key a)\n" });
  expect(documentOf(json)).toMatchObject({ error: { code: "QUEUE_FULL" } });
  expect(command).toBe("queue run narrow.ts --drain");
  expect(worked.exitCode).toBe(0);
  expect(again).toMatchObject({ exitCode: 0, stdout: "queued 3 (new)\n" });
});

test("R172: queue import stops at a full queue with 4, says how far it came, and can be repeated", async () => {
  const { folder, call } = setup();
  writeFileSync(join(folder, "list.jsonl"), '{"id":"a"}\n{"id":"b"}\n{oops\n{"id":"c"}\n');

  const stopped = await call("queue", "import", "list.jsonl", "narrow.ts");
  await call("queue", "run", "narrow.ts", "--drain");
  const again = await call("queue", "import", "list.jsonl", "narrow.ts");

  expect(stopped.exitCode).toBe(4);
  expect(stopped.stderr).toContain("Of 4 lines read: 2 new, 1 bad, 1 refused\n");
  expect(stopped.stderr).toContain("npx millrace queue run narrow.ts --drain");
  expect(again.exitCode).toBe(0);
  expect(again.stdout).toContain("4 lines: 1 new, 2 known, 1 bad (3)");
});

test("R172 R60: run --items queues and works a file that its queue has no room for in turns, in the order of its lines", async () => {
  const { folder, call } = setup();
  const ids = ["c", "a", "e", "a", "b", "d"];
  const lines = ids.map((id) => `{"id":"${id}"}\n`).toSpliced(3, 0, "{oops\n");
  writeFileSync(join(folder, "list.jsonl"), lines.join(""));

  const ran = await call("run", "narrow.ts", "--items", "list.jsonl");
  const results = ran.stdout.trimEnd().split("\n");
  const stats = documentOf(await call("queue", "stats", "--json"));

  expect(ran.exitCode).toBe(0);
  expect(results.map((line) => JSON.parse(line) as unknown)).toMatchObject(
    ids.map((key) => ({ key, state: "succeeded" })),
  );
  expect(ran.stderr).toContain("line 4: it is no JSON");
  expect(ran.stderr.match(/queue started/g)).toHaveLength(1);
  expect(ran.stderr).toContain("5: 5 succeeded");
  expect(stats).toMatchObject({ pipelines: [{ counts: { succeeded: 5, total: 5 } }] });
});

test("R172: run --items ends with 4 where working makes no room, and keeps what it did", async () => {
  const { folder, call } = setup();
  writeFileSync(join(folder, "list.jsonl"), '{"id":"a"}\n{"id":"b"}\n');
  for (const key of ["x", "y"])
    await call("queue", "enqueue", "narrow.ts", "--key", key, "--delay", "1h");

  const refused = await call("run", "narrow.ts", "--items", "list.jsonl");

  expect(refused.exitCode).toBe(4);
  expect(refused.stderr).toContain("QUEUE_FULL (exit 4)");
  expect(refused.stderr).toContain("Of 2 lines read: 0 new, 2 refused");
});
