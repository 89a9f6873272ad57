// The server of the bundled list, for a terminal of its own: `--healed` brings the dead host back. Ends with Ctrl-C.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { startServer } from "./server/server.ts";
import { makeWeb } from "./settings.ts";

const { values } = parseArgs({
  options: {
    healed: { type: "boolean", default: false },
    port: { type: "string", default: "8805" },
    log: { type: "string", default: join(makeWeb(process.env).out, "server-log.jsonl") },
  },
});

await mkdir(join(values.log, ".."), { recursive: true });
const { healed, log } = values;
const server = await startServer({ port: Number(values.port), logFile: log, healed });
console.log(`serving the hosts of the list at 127.0.0.1:${server.port}; log: ${log}`);
process.once("SIGINT", () => void server.close());
process.once("SIGTERM", () => void server.close());
