// The verbs of the server, as data.

import type { VerbSpec } from "./verb.ts";

const serve: VerbSpec = {
  name: "serve",
  summary: "run schedules, work the queues and offer the API",
  args: [],
  flags: [
    { flags: "--host <host>", about: "beyond loopback only with TLS or --behind-proxy" },
    { flags: "--port <port>", about: "0 for any (default 4400)" },
    { flags: "--base-path <path>", about: "prefix of every path, as in /millrace" },
    { flags: "--no-worker", about: "work no runs here" },
    { flags: "--no-schedules", about: "fire no schedules here" },
    { flags: "--behind-proxy", about: "a proxy before it ends TLS" },
    { flags: "--open", about: "open a browser, signed in" },
    { flags: "-j <count>", about: "runs at once, 1 to 256 (default 8)" },
  ],
  examples: ["npx millrace serve", "npx millrace serve --port 8080 --no-worker"],
  exits: [
    "0  drained after a signal",
    "2  usage, configuration or definition; unsafe to listen there",
    "4  the port is in use; the store is too new",
    "6  store lost; out of memory, drained",
  ],
  load: () => import("../commands/serve.ts"),
};

const tokenCreate: VerbSpec = {
  name: "token create",
  summary: "make an access token, and show it once",
  args: [{ name: "NAME", required: true }],
  flags: [
    { flags: "--role <role>", about: "read, operate or admin (default read)" },
    { flags: "--expires <duration>", about: "as in 30d (default: until it is revoked)" },
  ],
  examples: ["npx millrace token create ci --role operate --expires 30d"],
  exits: ["0  made", "2  usage; the name is taken", "6  store lost"],
  load: () => import("../commands/token/create.ts"),
};

const tokenList: VerbSpec = {
  name: "token list",
  summary: "list access tokens, never their text",
  args: [],
  flags: [],
  examples: ["npx millrace token list"],
  exits: ["0  listed", "2  usage", "6  store lost"],
  load: () => import("../commands/token/list.ts"),
};

const tokenRevoke: VerbSpec = {
  name: "token revoke",
  summary: "refuse an access token from now on",
  args: [{ name: "NAME", required: true }],
  flags: [],
  examples: ["npx millrace token revoke ci"],
  exits: ["0  revoked, or it was", "2  usage; no such token", "6  store lost"],
  load: () => import("../commands/token/revoke.ts"),
};

/** Verbs of the server and of who may use it. */
export const SERVE_VERBS: readonly VerbSpec[] = [serve, tokenCreate, tokenList, tokenRevoke];
