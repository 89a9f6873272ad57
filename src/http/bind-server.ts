// Binds one listener, and says in our words why it could not.

import { lstatSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { connect } from "node:net";
import { SERVER_PORT_DEFAULT } from "../model/defaults.ts";
import { MillraceError } from "../model/errors.ts";

/** Where to. */
export type BindTarget =
  | { readonly path: string }
  /** `isOptional`: a machine without such addresses does without. */
  | { readonly host: string; readonly port: number; readonly isOptional?: boolean };

/** Begins to listen; answers the port, 0 for a Unix socket. PORT_IN_USE, OPTION_INVALID. */
export async function bindServer(server: Server, target: BindTarget): Promise<number> {
  try {
    await listen(server, target);
  } catch (error) {
    const code = codeOf(error);
    if ("path" in target && code === "EADDRINUSE" && (await isLeftBehind(target.path))) {
      rmSync(target.path);
      await listen(server, target);
      return 0;
    }
    if ("host" in target && target.isOptional === true && NO_SUCH_ADDRESS.has(code)) return 0;
    throw explain(error, target);
  }
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const NO_SUCH_ADDRESS: ReadonlySet<string> = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT", "EINVAL"]);

function listen(server: Server, target: BindTarget): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const options = "path" in target ? { path: target.path } : { ...target, ipv6Only: true };
    server.listen(options, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Whether it is the socket of a process that is gone. What is no socket is nothing of ours. */
async function isLeftBehind(path: string): Promise<boolean> {
  return isSocket(path) && !(await isAlive(path));
}

function isSocket(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true;
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function explain(error: unknown, target: BindTarget): unknown {
  const where = "path" in target ? target.path : `${target.host}:${target.port}`;
  const code = codeOf(error);
  if ("path" in target && code === "EADDRINUSE" && !isSocket(target.path)) {
    return new MillraceError("OPTION_INVALID", `"${where}" is there already, and is no socket.`, {
      hint: "name another path for the socket; nothing was touched",
      cause: error,
    });
  }
  if (code === "EADDRINUSE") {
    return new MillraceError("PORT_IN_USE", `Another program listens on "${where}".`, {
      hint: "stop it, or take another port",
      next: `npx millrace serve --port ${portAfter(target)}`,
      cause: error,
    });
  }
  if (code === "EACCES" || code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    return new MillraceError(
      "OPTION_INVALID",
      `The server cannot listen on "${where}" (${code}).`,
      {
        hint:
          code === "EACCES" ? "ports below 1024 are for the system" : "no address of this machine",
        cause: error,
      },
    );
  }
  return error;
}

/** The port to try next: the one after, the first that needs no rights after the last, our own instead of a socket. */
function portAfter(target: BindTarget): number {
  if ("path" in target) return SERVER_PORT_DEFAULT;
  return target.port >= PORT_MAX ? PORT_FREE_MIN : target.port + 1;
}

const PORT_MAX = 65_535;
const PORT_FREE_MIN = 1_024;

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
