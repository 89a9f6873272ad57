// Links that lie where files of ours are made or read, or that take their place in the moment before they are opened:
// nothing outside is read, written, cut off or removed. The moment is chosen by a step in the calls of `node:fs`.

import fs, {
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { bindServer } from "../../src/http/bind-server.ts";
import { readTokenFile } from "../../src/service/access/token-file.ts";
import { readEventArchive } from "../../src/service/events/archive/read-event-archive.ts";
import { refuseForeignLink, writeNamedFile } from "../../src/std/files/named-file.ts";
import { sha256Hex } from "../../src/std/json.ts";
import { FileBlobs } from "../../src/storage/blobs/file-blobs.ts";
import { temporaryName, writeNewFile } from "../../src/storage/blobs/new-file.ts";
import { seriesOfDay, seriesOfRun } from "../../src/storage/event-files/event-file-name.ts";
import { EventFiles } from "../../src/storage/event-files/event-files.ts";
import { LocalFiles } from "../../src/storage/local-files.ts";
import { startHost } from "../support/host.ts";

const host = startHost();
afterAll(() => host.close());

const RUN_ID = "0194f3a0-0000-7000-8000-000000000000";
const DAY = seriesOfDay(Date.UTC(2026, 6, 14));
const DAY_FILE = "2026-07-14.jsonl";
const PRECIOUS = "what somebody else keeps\n";
/** Another user, whoever runs this. */
const OTHER_USER = (process.geteuid?.() ?? 0) + 1;
const isRoot = process.geteuid?.() === 0;

interface Scene {
  /** Where ours are made. */
  readonly folder: string;
  /** What must stay as it is. */
  readonly victim: string;
  /** The folder that it lies in. */
  readonly outside: string;
}

function setup(): Scene {
  const root = mkdtempSync(join(tmpdir(), "millrace-links-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const [folder, outside] = [join(root, "ours"), join(root, "outside")];
  for (const each of [folder, outside]) mkdirSync(each, { mode: 0o700 });
  const victim = join(outside, "victim.txt");
  writeFileSync(victim, PRECIOUS, { mode: 0o600 });
  return { folder, victim, outside };
}

/** Does something in the moment before the first file is opened that was checked by its name. */
function beforeOpening(path: string, swap: () => void): void {
  const real = { sync: fs.openSync, promised: fs.promises.open };
  let isDone = false;
  const step = (opened: unknown): void => {
    if (isDone || opened !== path) return;
    isDone = true;
    swap();
  };
  const restore = (): void => {
    fs.openSync = real.sync;
    fs.promises.open = real.promised;
    syncBuiltinESMExports();
  };
  fs.openSync = (opened, ...rest) => (step(opened), real.sync(opened, ...rest));
  fs.promises.open = async (opened, ...rest) => (
    step(opened),
    await real.promised(opened, ...rest)
  );
  syncBuiltinESMExports();
  onTestFinished(() => {
    restore();
    expect([path, isDone]).toEqual([path, true]);
  });
}

function replaceByLink(path: string, target: string): void {
  rmSync(path, { recursive: true, force: true });
  symlinkSync(target, path);
}

const line = (seq: number) => ({ seq, text: JSON.stringify({ seq }) });

test("S19: a token file that is swapped between the look and the opening is refused", () => {
  const { folder, outside } = setup();
  const path = join(folder, "token");
  readTokenFile(path);
  const planted = join(outside, "token");
  writeFileSync(planted, `${"x".repeat(43)}\n`, { mode: 0o600 });
  beforeOpening(path, () => replaceByLink(path, planted));
  expect(() => readTokenFile(path)).toThrow(expect.objectContaining({ code: "TOKEN_FILE_UNSAFE" }));
});

test("S19: nor is a token file taken that others could write, which came in that moment", () => {
  const { folder } = setup();
  const path = join(folder, "token");
  readTokenFile(path);
  beforeOpening(path, () => {
    rmSync(path);
    writeFileSync(path, `${"x".repeat(43)}\n`);
    fs.chmodSync(path, 0o666);
  });
  expect(() => readTokenFile(path)).toThrow(expect.objectContaining({ code: "TOKEN_FILE_UNSAFE" }));
});

test("S19: files of events are appended to through no link, whenever it came", async () => {
  const { folder, victim, outside } = setup();
  const path = join(folder, DAY_FILE);
  const files = new EventFiles({ folder, rotateBytes: 1_000_000 });
  await files.append(DAY, [line(1)]);
  replaceByLink(path, victim);
  await expect(files.append(DAY, [line(2)])).rejects.toMatchObject({ code: "ELOOP" });
  rmSync(path);
  await files.append(DAY, [line(1), line(2)]);
  // The folder of the runs' files, which is ours as well.
  const runs = join(folder, "runs");
  symlinkSync(outside, runs);
  await expect(files.append(seriesOfRun(RUN_ID), [line(1)])).rejects.toMatchObject({
    code: "ELOOP",
  });
  expect(readFileSync(victim, "utf8")).toBe(PRECIOUS);
  expect(readFileSync(join(outside, `${RUN_ID}.jsonl`), "utf8")).toBe("");
});

test("S19: the folder of the runs' files is swapped in the moment before one is opened: no event escapes", async () => {
  const { folder, outside } = setup();
  const files = new EventFiles({ folder, rotateBytes: 1_000_000 });
  await files.append(seriesOfRun(RUN_ID), [line(1)]);
  const runs = join(folder, "runs");
  beforeOpening(join(runs, `${RUN_ID}.jsonl`), () => replaceByLink(runs, outside));
  await expect(files.append(seriesOfRun(RUN_ID), [line(2)])).rejects.toMatchObject({
    code: "ELOOP",
  });
  expect(readFileSync(join(outside, `${RUN_ID}.jsonl`), "utf8")).toBe("");
});

test("S19: files of events are read through no link, and none is moved into a folder that is one", async () => {
  const { folder, victim, outside } = setup();
  const planted = join(outside, "planted.jsonl");
  writeFileSync(planted, `${JSON.stringify({ seq: 7, type: "run.started" })}\n`);
  symlinkSync(planted, join(folder, DAY_FILE));
  expect(await readEventArchive({ folder })).toMatchObject({ events: [], skipped: 0 });
  rmSync(join(folder, DAY_FILE));
  const files = new EventFiles({ folder, rotateBytes: 1_000_000 });
  await files.append(DAY, [line(1)]);
  symlinkSync(outside, join(folder, "archive"));
  expect(await files.sweep(Number.MAX_SAFE_INTEGER)).toBe(0);
  expect(existsSync(join(folder, DAY_FILE))).toBe(true);
  beforeOpening(join(folder, DAY_FILE), () => replaceByLink(join(folder, DAY_FILE), victim));
  await expect(readEventArchive({ folder })).rejects.toMatchObject({ code: "ELOOP" });
});

test("S19: a large value is written through no link, and what a link shows is no value", async () => {
  const { folder, victim } = setup();
  const bytes = Buffer.from("a value of a stage");
  const name = sha256Hex(bytes);
  const blobs = new FileBlobs({ folder });
  const place = blobs.locate(name);
  mkdirSync(join(folder, name.slice(0, 2)));
  symlinkSync(victim, place);
  await expect(blobs.get(name)).rejects.toMatchObject({ code: "VALUE_DAMAGED" });
  symlinkSync(victim, join(folder, name.slice(0, 2), `.${name.slice(2)}.${process.pid}.0`));
  expect(await blobs.put(bytes)).toBe(name);
  expect(lstatSync(place).isFile()).toBe(true);
  expect(await blobs.get(name)).toEqual(bytes);
  expect(readFileSync(victim, "utf8")).toBe(PRECIOUS);
});

test("S19: a link in place of a run's folder is neither used nor emptied", async () => {
  const { folder, victim, outside } = setup();
  symlinkSync(outside, join(folder, RUN_ID));
  const files = new LocalFiles(folder);
  expect(() => files.runFolder(RUN_ID)).toThrow(
    expect.objectContaining({ code: "FILE_UNWRITABLE" }),
  );
  expect([...(await files.listRunFolders())]).toEqual([]);
  await files.measureRunFolder(RUN_ID, { remove: true });
  expect(readFileSync(victim, "utf8")).toBe(PRECIOUS);
});

test("S19: exports and backups are made through no link, be it in their place or where they are begun", async () => {
  const { folder, victim } = setup();
  const path = join(folder, "events.json");
  const text = async function* (): AsyncGenerator<string> {
    yield "new";
  };
  symlinkSync(victim, temporaryName(path));
  expect(await writeNewFile(path, text())).toEqual({ bytes: 3 });
  expect(readFileSync(path, "utf8")).toBe("new");
  replaceByLink(path, victim);
  expect(await writeNewFile(path, text())).toBe(undefined);
  // In the moment between.
  rmSync(path);
  beforeOpening(temporaryName(path), () => symlinkSync(victim, temporaryName(path)));
  await expect(writeNewFile(path, text())).rejects.toMatchObject({ code: "EEXIST" });
  symlinkSync(victim, join(host.folder, "copy.db"));
  host.write({ "one.ts": ONE });
  expect((await host.call(["run", "one.ts"])).exitCode).toBe(0);
  expect(await host.call(["store", "backup", "copy.db"])).toMatchObject({
    exitCode: 4,
    stderr: expect.stringContaining("is there already"),
  });
  expect(readFileSync(victim, "utf8")).toBe(PRECIOUS);
});

const ONE = `
import { definePipeline } from "millrace";
export const one = definePipeline({ name: "one", stages: [{ id: "one", run: () => 1 }] });
`;

test("S19: a file that somebody names is written through a link of their own, and through none of another user", async () => {
  const { folder, victim } = setup();
  const own = join(folder, "own.md");
  const target = join(folder, "target.md");
  symlinkSync(target, own);
  await writeNamedFile(own, "a long report");
  await writeNamedFile(own, "a report");
  expect(readFileSync(target, "utf8")).toBe("a report");
  const foreign = join(folder, "foreign.md");
  symlinkSync(victim, foreign);
  // Only root can make one that is another's; the rule is asked by whoever it is not.
  if (isRoot) lchownSync(foreign, OTHER_USER, OTHER_USER);
  expect(() => refuseForeignLink(foreign, OTHER_USER + 1)).toThrow(
    expect.objectContaining({ code: "ELOOP" }),
  );
  expect(readFileSync(victim, "utf8")).toBe(PRECIOUS);
});

test.skipIf(!isRoot)(
  "S19: a link of another user that came in that moment cuts nothing off",
  async () => {
    const { folder, victim } = setup();
    const path = join(folder, "report.md");
    const plant = (): void => {
      rmSync(path, { force: true });
      symlinkSync(victim, path);
      lchownSync(path, OTHER_USER, OTHER_USER);
    };
    beforeOpening(path, plant);
    await expect(writeNamedFile(path, "a report")).rejects.toMatchObject({ code: "ELOOP" });
    const shared = host.makeFolder({ "one.ts": ONE });
    renameSync(path, join(shared, "plan.json"));
    for (const argv of [
      ["plan", "one.ts", "--report", "plan.json"],
      ["run", "one.ts", "--log-file", "plan.json"],
      ["run", "one.ts", "--store", "sqlite:plan.json"],
    ]) {
      const { exitCode, stderr } = await host.call(argv, { folder: shared });
      expect(exitCode).not.toBe(0);
      expect(stderr).toContain("is a link that another user made");
    }
    expect(readFileSync(victim, "utf8")).toBe(PRECIOUS);
  },
);

test("S19: a socket takes the place of no file and of no link", async () => {
  const { folder, victim } = setup();
  const link = join(folder, "serve.sock");
  symlinkSync(victim, link);
  for (const path of [victim, link]) {
    await expect(bindServer(createServer(), { path })).rejects.toMatchObject({
      code: "OPTION_INVALID",
    });
  }
  expect(readFileSync(victim, "utf8")).toBe(PRECIOUS);
  expect(readdirSync(folder)).toEqual(["serve.sock"]);
});
