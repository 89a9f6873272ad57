// The example as people start it: by the command, from source, in processes of its own; and what is left of it when
// one of its workers is killed.
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Summary } from "./manifest/gather.ts";
import { toPace } from "./pace.ts";
import { countParallelMax, listTooSoon, listWaits } from "./server/judge.ts";
import { startServer } from "./server/server.ts";
import type { LogEntry } from "./server/server.ts";
import { FORBIDDEN_PATH, PAPER_NAMES, readPaper } from "./server/sites.ts";
import { commandWords } from "../../test/support/suite-package.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const CONFIG = join("examples", "05-content-download", "millrace.config.ts");
const LIST = join("examples", "05-content-download", "list", "downloads.jsonl");

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "content-download-"));
});
afterEach(() => rm(folder, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly text: string;
}

type Variables = Readonly<Record<string, string>>;

/** Runs a program of the repository with a store and a folder of this test's own. */
function run(words: readonly string[], variables: Variables = {}): Promise<Ended> {
  const own = ["--store", `sqlite:${join(folder, "store.db")}`];
  const args = ["--conditions=@millrace/source", ...words, ...own];
  const env = { ...process.env, CONTENT_DOWNLOAD_OUT: join(folder, "out"), ...variables };
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  child.stdout.on("data", (piece: Buffer) => (text += piece.toString()));
  child.stderr.on("data", (piece: Buffer) => (text += piece.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, text }));
  });
}

const EXAMPLE = [join("scripts", "example.ts"), "05-content-download"];
const MILLRACE = commandWords();

async function readSummary(): Promise<Summary> {
  return JSON.parse(await readFile(join(folder, "out", "summary.json"), "utf8"));
}

/** Every file of the store is one of the papers, whole. */
async function expectWholeFiles(): Promise<void> {
  const files = join(folder, "out", "files");
  const papers = PAPER_NAMES.map((name) => readPaper(name));
  const entries = await readdir(files, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((found) => found.isFile())) {
    const content = await readFile(join(entry.parentPath, entry.name));
    expect(papers.some((paper) => paper.equals(content))).toBe(true);
  }
}

/** Whoever asked, and whoever died meanwhile: no host got more than it bears. */
function expectPolite(entries: readonly LogEntry[]): void {
  for (const host of new Set(entries.map((entry) => entry.host))) {
    const most = host === "metadata.test" ? 2 : 4;
    expect(countParallelMax(entries, host), host).toBeLessThanOrEqual(most);
  }
  for (const { entry, askedMs, gotMs } of listWaits(entries, "address")) {
    expect(gotMs, entry.host).toBeGreaterThanOrEqual(askedMs);
  }
  expect(entries.filter(({ path }) => path.startsWith(FORBIDDEN_PATH))).toEqual([]);
  const breaker = { threshold: 5, forMs: toPace(60) };
  // What the dead worker had asked to find out whether that host lives, or had just been told, died with it: once, one
  // of the others asks in its place.
  expect(listTooSoon(entries, "dead.test", breaker).length).toBeLessThanOrEqual(1);
}

test("R305: started by name it works the list with two workers; again, nothing is new; healed, eight more succeed", async () => {
  const first = await run(EXAMPLE);
  expect(first).toMatchObject({ code: 0 });
  expect(first.text).toContain("27 new, 1 known, 1 bad");
  expect(await readSummary()).toMatchObject({ succeeded: 9, skipped: 3, failed: 15, open: 0 });
  const manifest = await readFile(join(folder, "out", "manifest.jsonl"), "utf8");

  const second = await run(EXAMPLE);
  expect(second.text).toContain("0 new, 28 known, 1 bad");
  expect(await readFile(join(folder, "out", "manifest.jsonl"), "utf8")).toBe(manifest);

  const healed = await run([...EXAMPLE, "--heal"]);
  expect(healed).toMatchObject({ code: 0 });
  expect(healed.text).toContain("reset host/dead.test");
  expect(await readSummary()).toMatchObject({ succeeded: 17, skipped: 3, failed: 7, open: 0 });
  await expectWholeFiles();
}, 120_000);

test("R267: show explains the order of resolvers and where each setting came from, and does nothing", async () => {
  const shown = await run([...MILLRACE, "show", "content-download", "--config", CONFIG]);
  expect(shown).toMatchObject({ code: 0 });
  expect(shown.text).toContain("in this order: direct, metadata, landing, archive.");
  expect(shown.text).toMatch(/download +initialDelay +300ms +pipeline/);
  expect(shown.text).toMatch(/download +queueTimeout +none +default/);
  expect(await readdir(folder)).toEqual([]);
});

test("R105 R106 R305: a worker killed amid downloads loses nothing: another ends every run once, and no file is half", async () => {
  const server = await startServer();
  const variables = { CONTENT_DOWNLOAD_TEST_SERVER: `127.0.0.1:${server.port}` };
  const faults = join(folder, "faults.json");
  await writeFile(faults, JSON.stringify([{ stage: "store", item: "sandwich", do: "kill" }]));
  try {
    await run([...MILLRACE, "queue", "import", LIST, CONFIG], variables);
    const drain = [...MILLRACE, "queue", "run", CONFIG, "--drain", "--log", "quiet"];
    const faulty = { ...variables, CONTENT_DOWNLOAD_FAULTS: faults };
    const [one, two] = await Promise.all([run(drain, faulty), run(drain, faulty)]);
    expect(new Set([one.signal, two.signal])).toEqual(new Set(["SIGKILL", null]));
    // The other one has taken over what the dead one held; restarted, there is nothing left to do.
    expect(await run(drain, variables)).toMatchObject({ signal: null });
    const gather = join("examples", "05-content-download", "gather.ts");
    expect(await run([gather], variables)).toMatchObject({ code: 0 });
    expectPolite(await server.settled());
  } finally {
    await server.close();
  }
  expect(await readSummary()).toMatchObject({ succeeded: 9, skipped: 3, failed: 15, open: 0 });
  await expectWholeFiles();
});
