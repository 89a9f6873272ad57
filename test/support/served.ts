// A server on loopback over a mill of its own, for a whole file of tests; and a client that sends bytes as they are
// written, for what no proper client would send.

import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  startServer,
  type RunningServer,
  type ServeOptions,
  type ServerExtras,
} from "../../src/http/serve.ts";
import type { DelaySource } from "../../src/http/load-shed.ts";
import { ROLES, type Role } from "../../src/service/access/identity.ts";
import { createToken, revokeToken } from "../../src/service/access/tokens.ts";
import { openMillrace, type Millrace } from "../../src/service/millrace.ts";
import type { OpenOptions } from "../../src/service/mill/open-options.ts";

export interface Served {
  readonly folder: string;
  readonly mill: Millrace;
  readonly server: RunningServer;
  /** `127.0.0.1:PORT`, as a Host header says it. */
  readonly host: string;
  /** A token of each role, and two that are no good any more. */
  readonly tokens: Readonly<Record<Role | "revoked" | "default", string>>;
  close(): Promise<void>;
}

export interface ServedOptions {
  readonly serve?: ServeOptions;
  readonly open?: Partial<OpenOptions>;
  readonly extras?: ServerExtras;
}

/** Tests that compute, or that share two busy processors with others, make this loop late, which is no fault of theirs. */
const NEVER_LATE: DelaySource = { takeP99Ms: () => 0, close: () => undefined };

/** Starts it over a SQLite store in a folder of its own. Close it when the file is done. */
export async function startServed(options: ServedOptions = {}): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-served-"));
  const mill = await openMillrace({
    store: `sqlite:${join(folder, "store.db")}`,
    graceMs: 50,
    ...options.open,
  });
  const server = await startServer(
    mill,
    { port: 0, stopMs: 0, ...options.serve },
    { delays: NEVER_LATE, ...options.extras },
  );
  const tokens: Partial<Record<Role | "revoked", string>> = {};
  for (const role of ROLES) tokens[role] = (await createToken(mill, { name: role, role })).token;
  tokens.revoked = (await createToken(mill, { name: "revoked", role: "admin" })).token;
  await revokeToken(mill, "revoked");
  const { read = "", operate = "", admin = "", revoked = "" } = tokens;
  return {
    folder,
    mill,
    server,
    host: `127.0.0.1:${server.port}`,
    tokens: { read, operate, admin, revoked, default: server.token },
    close: async () => {
      await server.stop();
      await mill.close({ drainMs: 0 });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface RawAnswer {
  /** 0: closed without an answer. */
  readonly status: number;
  /** Everything that came, headers first. */
  readonly text: string;
}

/** Sends these bytes and gathers what comes until the other side closes. */
export function sendRaw(port: number, bytes: string | Buffer): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    const end = (): void => {
      const text = Buffer.concat(pieces).toString("latin1");
      const [, status = "0"] = /^HTTP\/1\.1 (\d{3})/.exec(text) ?? [];
      resolve({ status: Number(status), text });
    };
    socket.on("data", (piece) => pieces.push(piece));
    socket.on("error", () => undefined);
    socket.on("close", end);
  });
}

/** A request written out; closes its connection. Lines without their ends. */
export function rawRequest(first: string, lines: readonly string[], body: string = ""): string {
  const length = body === "" ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  return [first, ...lines, ...length, "Connection: close", "", body].join("\r\n");
}
