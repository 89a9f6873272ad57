// `why` about runs of a queue: where they stand, who works there, and the command that works it.

import { expect, test } from "vitest";
import { makeProject, parseDocument, waitFor } from "../support/command.ts";

const PLACES = "pipelines/places.ts#single";

test("a queued run tells its place, the worker at work, and the command that works its queue", async () => {
  const project = makeProject();
  await project.run("queue", "enqueue", PLACES);
  await project.run("queue", "enqueue", "pipelines/gated.ts#slowly");
  await project.run("queue", "enqueue", "pipelines/gated.ts#slowly");
  const before = await project.run("why", "3");
  const worker = project.start("queue", "run", "pipelines/gated.ts#slowly", "-j", "1", "--drain");
  await project.appears("at-open");

  let during = await project.run("why", "3", "--json");
  // The beat of the worker comes within a second.
  await waitForText(async () => {
    during = await project.run("why", "3", "--json");
    return during.stdout.includes("1 worker is at work there");
  });
  project.touch("open");
  await worker.ended;

  expect(before.stdout).toMatch(
    /^3 is queued, due since .+Z \(.+\): (no worker is at work on this store; )?1 run of pipeline "slowly" is ahead of it\.\n/,
  );
  expect(before.stdout).toContain(
    "works its queue here: npx millrace queue run --drain pipelines/gated.ts#slowly",
  );
  expect(parseDocument(during)).toMatchObject({
    schema: "millrace.why/1",
    subject: "3",
    state: "queued",
    blockers: [],
  });
});

test("a run with a delay tells when it is due", async () => {
  const project = makeProject();
  await project.run("queue", "enqueue", PLACES, "--delay", "1h");

  const text = await project.run("why", "1");
  const { stdout } = await project.run("why", "1", "--json");

  expect(text.stdout).toMatch(
    /^1 is waiting since .+: it is not due before .+Z \(in (59m .+|1h)\)\.\n/,
  );
  expect(JSON.parse(stdout)).toMatchObject({
    state: "waiting",
    blockers: [{ kind: "due", basis: "exact", expectedAt: expect.stringMatching(/Z$/) }],
  });
});

/** Asks again until it is so, at most 20 times: each question is a process of its own. */
async function waitForText(ask: () => Promise<boolean>): Promise<void> {
  for (let times = 0; times < 20; times += 1) if (await ask()) return;
  await waitFor(
    () => "the worker to say that it is alive",
    () => false,
    () => true,
  );
}
