// A process that dies with SIGKILL right before or right after any of its commits: the next one goes on, repeats
// nothing that was committed, and ends with the same outputs.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { killNewRuns, killResumes } from "./kill/programme.ts";

describe("a process that kills itself", () => {
  test("R255 R259: at each commit of a new run loses nothing and repeats nothing that was committed", async () => {
    const [before, after] = await Promise.all([killNewRuns("before"), killNewRuns("after")]);
    assert.ok(before.deaths >= 8 && after.deaths >= 8, JSON.stringify({ before, after }));
    console.log("new runs", { before, after });
  });

  test("R255 R195: at each commit of a resume leaves a run that can be resumed again", async () => {
    const [before, after] = await Promise.all([killResumes("before"), killResumes("after")]);
    assert.ok(before.deaths >= 16 && after.deaths >= 16, JSON.stringify({ before, after }));
    console.log("resumes", { before, after });
  });
});
