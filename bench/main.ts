// npm run bench [-- question ...] [--small]: asks the questions one after the other and ends with 1 if a floor was
// missed. Nothing else should run meanwhile: absolute times on a shared machine drift by half, ratios by less. `--small`
// tries those of the service out within seconds: its figures mean nothing.

import { parseArgs } from "node:util";
import type { Size } from "./lib/measure.ts";

const QUESTIONS: Readonly<
  Record<string, () => Promise<{ ask: (size: Size) => boolean | Promise<boolean> }>>
> = {
  memory: () => import("./questions/memory.ts"),
  durable: () => import("./questions/durable.ts"),
  queue: () => import("./questions/queue.ts"),
  "queue-idle": () => import("./questions/queue-idle.ts"),
  "queue-depth": () => import("./questions/queue-depth.ts"),
  resources: () => import("./questions/resources.ts"),
  api: () => import("./questions/api.ts"),
  live: () => import("./questions/live.ts"),
  schedules: () => import("./questions/schedules.ts"),
  resilience: () => import("./questions/resilience.ts"),
  "type-check": () => import("./questions/type-check.ts"),
  "start-up": () => import("./questions/start-up.ts"),
};

const { positionals: chosen, values } = parseArgs({
  allowPositionals: true,
  options: { small: { type: "boolean", default: false } },
});
const names = chosen.length === 0 ? Object.keys(QUESTIONS) : chosen;
let met = true;
for (const name of names) {
  const load = QUESTIONS[name];
  if (load === undefined) {
    console.error(`There is no question "${name}"; known: ${Object.keys(QUESTIONS).join(", ")}.`);
    process.exit(2);
  }
  const question = await load();
  met = (await question.ask(values.small ? "small" : "whole")) && met;
}
process.exitCode = met ? 0 : 1;
