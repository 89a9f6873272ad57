// A server in a process of its own, so that who asks takes nothing of its time. Argument 1 is the path of its store; it
// says where it is, once a second what it uses, tells events at the rate that a line on its stdin says, and ends with it.

import { createInterface } from "node:readline";
import { openMillrace } from "millrace";
import { serve } from "millrace/server";
import { EventTeller } from "./event-teller.ts";
import { MANY } from "./many-runs.ts";
import { FiguresTaker } from "./process-figures.ts";

const SAMPLE_MS = 1_000;

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const mill = await openMillrace({ store: `sqlite:${process.argv[2] ?? ""}`, pipelines: MANY });
const server = await serve(mill, { port: 0, token: "t".repeat(43) });
const teller = new EventTeller(mill);
const taker = new FiguresTaker();
const sampling = setInterval(() => say({ kind: "figures", ...taker.take() }), SAMPLE_MS);
say({ kind: "ready", url: server.url, token: server.token });
for await (const line of createInterface({ input: process.stdin })) {
  const { eventsPerSecond }: { eventsPerSecond?: number } = JSON.parse(line);
  if (eventsPerSecond !== undefined && eventsPerSecond > 0) teller.start(eventsPerSecond);
  else say({ kind: "told", ...(await teller.stop()) });
}
clearInterval(sampling);
await server.stop();
await mill.close();
