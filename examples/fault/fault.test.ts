import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { meetFault, parseFaults } from "./fault.ts";
import type { FaultPlace } from "./fault.ts";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "fault-"));
});
afterEach(() => rm(dir, { recursive: true }));

function place(extra: Partial<FaultPlace> = {}): FaultPlace {
  const item = { key: "a.pdf" };
  return {
    stage: "review",
    item,
    attempt: 1,
    dir,
    signal: new AbortController().signal,
    ...extra,
  };
}

const FAIL = parseFaults('[{"stage":"review","item":"a.pdf","do":"fail"}]');

test("a fault strikes at its stage, item and attempt, and once per run", async () => {
  await meetFault(FAIL, place({ stage: "judge" }));
  await meetFault(FAIL, place({ item: { key: "b.pdf" } }));
  await meetFault(FAIL, place({ item: undefined }));
  await meetFault(FAIL, place({ attempt: 2 }));
  await expect(meetFault(FAIL, place())).rejects.toThrow("fault 1 of the fault file");
  await meetFault(FAIL, place());
});

test("a hanging attempt ends when it is aborted", async () => {
  const hang = parseFaults('[{"stage":"review","item":"a.pdf","do":"hang"}]');
  const controller = new AbortController();
  const hanging = meetFault(hang, place({ signal: controller.signal }));
  controller.abort();
  await expect(hanging).rejects.toThrow("aborted");
});

test("a fault file is checked", () => {
  expect(() => parseFaults('[{"stage":"review","do":"explode"}]')).toThrow();
  expect(() => parseFaults('[{"stage":"review","do":"fail","atempt":2}]')).toThrow("atempt");
  expect(() => parseFaults("{")).toThrow(SyntaxError);
});
