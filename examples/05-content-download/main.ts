// The whole example by itself: a server for the hosts of the list, the list into the queue, two workers until nothing
// is left, and the manifest. A second time nothing is new; `--heal` brings the dead host back and its failed runs
// are taken up again. The commands it runs are those of the README.
import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
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
  const ends = await Promise.all([millrace(...work), millrace(...work)]);
  const gathered = await run(join(import.meta.dirname, "gather.ts"), [], server.port);
  // A drain that met failed runs ends with 1; more than that is a fault of the example.
  process.exitCode = gathered === 0 && ends.every((end) => end === 0 || end === 1) ? 0 : 6;
} finally {
  await server.close();
}
