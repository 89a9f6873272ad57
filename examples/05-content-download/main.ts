// The whole example by itself: a server for the hosts of the list, the list into the queue, two workers until nothing
// is left, and the manifest. A drained queue may leave runs that wait for a later time, as for a breaker of minutes:
// they are worked when it has come. A second time nothing is new; `--heal` brings the dead host back and its failed runs
// are taken up again. The commands it runs are those of the README.
import { spawn } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startServer } from "./server/server.ts";
import { makeWeb } from "./settings.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const CONFIG = join("examples", "05-content-download", "millrace.config.ts");
const LIST = join("examples", "05-content-download", "list", "downloads.jsonl");

const { out } = makeWeb(process.env);
const { values } = parseArgs({
  options: {
    heal: { type: "boolean", default: false },
    store: { type: "string", default: `sqlite:${join(out, "store.db")}` },
  },
});

/** Runs a program of this repository from source; gives its exit code. */
function run(file: string, words: readonly string[], port: number): Promise<number | null> {
  const args = ["--conditions=@millrace/source", file, ...words, "--store", values.store];
  const env = { ...process.env, CONTENT_DOWNLOAD_TEST_SERVER: `127.0.0.1:${port}` };
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: "inherit", env });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
}

/** Times that the queue is drained again for what waited, and the time between two, ms. */
const ROUNDS_MAX = 30;
const BETWEEN_MS = 2_000;

/** Runs that have not ended, as they were gathered. */
async function readOpen(): Promise<number> {
  const summary: unknown = JSON.parse(await readFile(join(out, "summary.json"), "utf8"));
  return Number(Reflect.get(Object(summary), "open"));
}

await mkdir(out, { recursive: true });
const server = await startServer({ logFile: join(out, "server-log.jsonl"), healed: values.heal });
try {
  const millrace = (...words: readonly string[]): Promise<number | null> =>
    run(join("src", "cli", "main.ts"), words, server.port);
  await millrace("queue", "import", LIST, CONFIG);
  if (values.heal) {
    // Its breaker would find out by itself, in its own time.
    const reason = ["--reason", "the dead host is back"];
    await millrace("resources", "reset", "host/dead.test", ...reason, "--config", CONFIG);
    await millrace("queue", "retry-failed", "--yes", "--config", CONFIG);
  }
  const work = ["queue", "run", CONFIG, "--drain", "--log", "quiet"];
  const ends: (number | null)[] = await Promise.all([millrace(...work), millrace(...work)]);
  let gathered = await run(join(import.meta.dirname, "gather.ts"), [], server.port);
  for (let round = 1; round < ROUNDS_MAX && gathered === 0 && (await readOpen()) > 0; round += 1) {
    await sleep(BETWEEN_MS);
    ends.push(await millrace(...work));
    gathered = await run(join(import.meta.dirname, "gather.ts"), [], server.port);
  }
  // A drain that met failed runs ends with 1; more than that is a fault of the example.
  process.exitCode = gathered === 0 && ends.every((end) => end === 0 || end === 1) ? 0 : 6;
} finally {
  await server.close();
}
