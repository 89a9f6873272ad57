// The rank table: which room may import whom, and which file may import which outside package.
// Only data; `check-layers.ts` reads it and speaks. A change here is a change of architecture and
// comes with a decision record.

/** What one room may and may not know. */
export interface Room {
  readonly rank: number;
  /** Only these rooms, instead of everything below. */
  readonly only?: readonly string[];
  /** Rooms or folders that stay closed although they lie below. */
  readonly closed?: readonly string[];
  /** Said when a closed door is opened. */
  readonly why?: string;
}

/** Rooms of `src/`, by folder name. */
export const ROOMS: Readonly<Record<string, Room>> = {
  std: { rank: 0 },
  model: { rank: 1 },
  policy: { rank: 2 },
  storage: { rank: 3 },
  engine: {
    rank: 4,
    closed: ["storage/sqlite", "storage/postgres", "storage/memory", "storage/blobs"],
    why: "the engine knows the port, never a concrete store; let the caller pass the store in",
  },
  service: { rank: 5 },
  simulation: { rank: 6 },
  config: {
    rank: 6,
    only: ["std", "model"],
    why: "configuration knows the nouns and their limits, and no deed",
  },
  http: {
    rank: 7,
    closed: ["policy", "storage"],
    why: "a transport parses, calls a service and renders; it knows no SQL, lease or policy",
  },
  cli: {
    rank: 8,
    closed: ["policy", "storage"],
    why: "the command parses, calls a service and renders; it knows no SQL, lease or policy",
  },
  dashboard: {
    rank: 9,
    only: ["http/contract"],
    why: "the dashboard sees the types of the contract and nothing else of ours",
  },
  testing: {
    rank: 9,
    closed: ["http", "cli", "dashboard", "config"],
    why: "the testing kit knows no transport and no configuration",
  },
  exports: { rank: 10 },
};

/** Folders that hold one store each; a store never knows another one. */
export const STORES = ["storage/memory", "storage/sqlite", "storage/postgres"] as const;

/** Outside packages by name or scope, and the files or folders (with a slash at the end) that may import them. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "@aws-sdk/": ["storage/blobs/"],
  "@hono/": ["http/"],
  "@modelcontextprotocol/server": ["http/mcp.ts"],
  "@opentelemetry/api": ["service/listeners/traces.ts"],
  "@standard-schema/spec": ["model/schema.ts"],
  canonicalize: ["std/json.ts"],
  chokidar: ["cli/commands/dev.ts"],
  "cli-table3": ["cli/render/table.ts"],
  commander: ["cli/main.ts", "cli/program.ts"],
  croner: ["policy/schedule/cron.ts"],
  "csv-parse": ["cli/input/"],
  "csv-stringify": ["cli/render/"],
  execa: ["engine/executors/subprocess.ts"],
  hono: ["http/"],
  kysely: ["storage/query.ts"],
  nodemailer: ["service/listeners/"],
  pg: ["storage/postgres/connection.ts"],
  pino: ["cli/"],
  piscina: ["engine/executors/thread.ts"],
  "prom-client": ["service/listeners/metrics.ts"],
  "serialize-error": ["std/error-envelope.ts"],
  "string-width": ["cli/render/"],
  "swagger-ui-dist": ["http/assets.ts"],
  ws: ["http/live/live-socket.ts"],
  zod: ["config/", "http/"],
  "node:sqlite": ["storage/sqlite/"],
  "node:timers": ["std/"],
  "node:perf_hooks": ["std/"],
  "node:http": ["http/", "service/listeners/notices/post-notice.ts"],
  "node:https": ["http/", "service/listeners/notices/post-notice.ts"],
  "node:child_process": ["engine/executors/", "cli/"],
};

/** Packages that tests alone may import, wherever they stand. */
export const TEST_PACKAGES = ["vitest", "fast-check", "@fast-check/vitest"] as const;

/** The built-in modules that the pure rooms may use: both only compute. */
export const PURE_BUILTINS = ["node:crypto", "node:util"] as const;
