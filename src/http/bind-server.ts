// Binds one listener, and says in our words why it could not.

import { rmSync } from "node:fs";
import type { Server } from "node:http";
import { connect } from "node:net";
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
    if ("path" in target && code === "EADDRINUSE" && !(await isAlive(target.path))) {
      // Left behind by a process that is gone.
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
  if (code === "EADDRINUSE") {
    return new MillraceError("PORT_IN_USE", `Another program listens on "${where}".`, {
      hint: "stop it, or take another port",
      next: "npx millrace serve --port 4401",
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

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
