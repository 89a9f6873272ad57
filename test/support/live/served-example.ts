// Example B behind `millrace serve` in a process of its own, and what a stranger has of it: its API and its socket.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { WebSocket } from "ws";
import * as z from "zod";
import { writeBars } from "../../../examples/02-market-data/bars/write-bars.ts";
import {
  CONFIG,
  makePlace,
  type Place,
  type Started,
} from "../../../examples/02-market-data/support/run-example.ts";
import { waitFor } from "../command.ts";

/** Of the four days there are: one whose analyzer hangs where that is ordered. */
export const HUNG_DAY = "MSFT/2003-09-16";
/** Of the four days there are: one whose file is damaged. */
export const DAMAGED_DAY = "ES/2020-03-16";

const EVENT = z.object({
  runSeq: z.number(),
  type: z.string(),
  stage: z.string().optional(),
  item: z.string().optional(),
  data: z.record(z.string(), z.unknown()).default({}),
});

/** An event as far as these tests look at it. */
export type SeenEvent = z.infer<typeof EVENT>;

/** What came over the socket that is of interest here. */
const FRAME = z.object({ type: z.string(), events: z.array(EVENT).default([]) });

const STARTED = z.object({ run: z.object({ name: z.string() }) });

/** What a request was answered. */
export interface Answer {
  readonly status: number;
  readonly json: unknown;
}

/** A socket that gathers the events of a run, or of everything. */
export interface Follower {
  readonly events: readonly SeenEvent[];
  /** Resolves with the first such event; it may have come already. */
  sees(type: string, isIt?: (event: SeenEvent) => boolean): Promise<SeenEvent>;
  close(): void;
}

/** The example behind its service. */
export interface ServedExample {
  readonly place: Place;
  readonly served: Started;
  readonly ask: (method: string, path: string, body?: object) => Promise<Answer>;
  /** Starts a run, and answers its name. Throws where it is refused. */
  readonly start: (body: object) => Promise<string>;
  /** `/ws/events` of this run. Default: of everything. */
  readonly follow: (run?: string) => Follower;
  /** Orders an analyzer to hang once, and gives the input that says so. */
  readonly orderHang: () => { readonly faults: string };
  /** What it has said on stderr. */
  readonly said: () => string;
  readonly close: () => Promise<void>;
}

/** Writes four days of bars and serves the example over them. `variables`: of its environment. */
export async function serveMarketData(
  variables: Readonly<Record<string, string>>,
  ...flags: readonly string[]
): Promise<ServedExample> {
  const place = makePlace(variables);
  await writeBars(place.bars, (name) => /^(?:MSFT.*-1[567]|ES.*2020-03-16)/.test(name));
  const words = ["serve", "--port", "0", "--config", CONFIG, ...flags];
  const served = place.start("src/cli/main.ts", ...words);
  let said = "";
  served.child.stderr?.on("data", (text: Buffer) => (said += text.toString()));
  await waitFor(
    () => `a sign-in on stderr, which says:\n${said}`,
    () => said.includes("sign in"),
    () => served.child.exitCode !== null,
  );
  const [, url = ""] = /(http:\/\/127\.0\.0\.1:\d+)\/ /.exec(said) ?? [];
  const token = readFileSync(join(place.folder, "token"), "utf8").trim();
  const authorization = `Bearer ${token}`;
  const ask: ServedExample["ask"] = async (method, path, body) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, json: await response.json() };
  };
  return {
    place,
    served,
    ask,
    start: async (body) => {
      const { status, json } = await ask("POST", "/pipelines/market-data/runs", body);
      if (status !== 201) throw new Error(`the start is answered ${status}`);
      return STARTED.parse(json).run.name;
    },
    follow: (run) => follow(url.replace("http", "ws"), authorization, run),
    orderHang: () => {
      const faults = join(place.folder, "faults.json");
      writeFileSync(faults, JSON.stringify([{ stage: "analyze", item: HUNG_DAY, do: "hang" }]));
      return { faults };
    },
    said: () => said,
    close: async () => {
      served.child.kill("SIGKILL");
      await served.ended;
      place.remove();
    },
  };
}

function follow(url: string, authorization: string, run: string | undefined): Follower {
  const events: SeenEvent[] = [];
  const path = run === undefined ? "/ws/events" : `/ws/events/${run}`;
  const socket = new WebSocket(`${url}${path}`, { headers: { authorization } });
  let fault = "";
  socket.on("error", (error) => (fault = error.message));
  socket.on("open", () => {
    if (run === undefined) socket.send(JSON.stringify({ type: "subscribe", topic: "events" }));
  });
  socket.on("message", (data: Buffer) => {
    events.push(...FRAME.parse(JSON.parse(data.toString())).events);
  });
  return {
    events,
    sees: async (type, isIt = () => true) => {
      const find = () => events.find((one) => one.type === type && isIt(one));
      await waitFor(
        () =>
          `${type} over the socket (${fault}), after ${events.map((one) => one.type).join(" ")}`,
        () => find() !== undefined,
        () => fault !== "",
      );
      const found = find();
      if (found === undefined) throw new Error(`${type} is gone`);
      return found;
    },
    close: () => socket.terminate(),
  };
}
