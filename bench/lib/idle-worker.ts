// A worker process with nothing to do but to say when the first stage of a run begins: argument 1 is the store. It
// ends with its stdin.

import { openMillrace } from "millrace";
import { makeIdle } from "./idle.ts";

const sayNow = (): void => {
  process.stdout.write(`${performance.timeOrigin + performance.now()}\n`);
};
const idle = makeIdle(sayNow);
const mill = await openMillrace({ store: `sqlite:${process.argv[2] ?? ""}`, pipelines: [idle] });
const stop = new AbortController();
process.stdin.on("end", () => stop.abort()).resume();
process.stdout.write("ready\n");
await mill.work({ signal: stop.signal });
await mill.close();
