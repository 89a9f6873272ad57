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
  const item = { key: "a.png/color" };
  return {
    stage: "extract",
    item,
    attempt: 1,
    dir,
    signal: new AbortController().signal,
    ...extra,
  };
}

const FAIL = parseFaults('[{"stage":"extract","item":"a.png/color","do":"fail"}]');

test("a fault strikes at its stage, item and attempt, and once per run", async () => {
  await meetFault(FAIL, place({ stage: "preprocess" }));
  await meetFault(FAIL, place({ item: { key: "b.png/color" } }));
  await meetFault(FAIL, place({ item: undefined }));
  await meetFault(FAIL, place({ attempt: 2 }));
  await expect(meetFault(FAIL, place())).rejects.toThrow("fault 1 of the fault file");
  await meetFault(FAIL, place());
});

test("a hanging attempt ends when it is aborted", async () => {
  const hang = parseFaults('[{"stage":"extract","item":"a.png/color","do":"hang"}]');
  const controller = new AbortController();
  const hanging = meetFault(hang, place({ signal: controller.signal }));
  controller.abort();
  await expect(hanging).rejects.toThrow("aborted");
});

test("a fault file is checked", () => {
  expect(() => parseFaults('[{"stage":"extract","do":"explode"}]')).toThrow();
  expect(() => parseFaults('[{"stage":"extract","do":"fail","atempt":2}]')).toThrow("atempt");
  expect(() => parseFaults("{")).toThrow(SyntaxError);
});
