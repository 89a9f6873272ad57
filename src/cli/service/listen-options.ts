// How `serve` listens: its flags over the section `server` of the settings, with the files of a certificate read.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Settings } from "../../config/resolve.ts";
import type { ServeOptions } from "../../http/serve.ts";
import { MillraceError } from "../../model/errors.ts";
import type { CliContext } from "../cli-context.ts";

/** What the command line says. Undefined: nothing. */
export interface ListenFlags {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly basePath: string | undefined;
  readonly behindProxy: boolean;
}

/** Puts them together. FILE_UNREADABLE, OPTION_INVALID. */
export function toServeOptions(
  context: CliContext,
  settings: Settings,
  flags: ListenFlags,
): ServeOptions {
  const host = flags.host ?? settings.serverHost.value;
  const socket = settings.serverSocket.value;
  const tokenFile = settings.serverTokenFile.value;
  const compatible = settings.serverCompatible.value;
  return {
    ...(host === null ? {} : { host }),
    port: flags.port ?? settings.serverPort.value,
    // Who names a host or a port on the command line wants that.
    ...(socket === null || flags.host !== undefined || flags.port !== undefined
      ? {}
      : { socketPath: resolve(context.cwd, socket) }),
    basePath: flags.basePath ?? settings.serverBasePath.value,
    behindProxy: flags.behindProxy || settings.serverBehindProxy.value,
    hosts: settings.serverHosts.value,
    ...readTls(context, settings),
    ...(tokenFile === null ? {} : { tokenFile: resolve(context.cwd, tokenFile) }),
    ...(compatible === null ? {} : { compatible }),
  };
}

function readTls(context: CliContext, settings: Settings): Pick<ServeOptions, "tls"> {
  const cert = settings.serverCert.value;
  const key = settings.serverKey.value;
  if (cert === null && key === null) return {};
  if (cert === null || key === null) {
    const missing = cert === null ? "server.cert" : "server.key";
    throw new MillraceError("OPTION_INVALID", `TLS needs a certificate and its key.`, {
      hint: `set ${missing} as well`,
    });
  }
  return { tls: { cert: readText(context, cert), key: readText(context, key) } };
}

function readText(context: CliContext, path: string): string {
  try {
    return readFileSync(resolve(context.cwd, path), "utf8");
  } catch (cause) {
    throw new MillraceError("FILE_UNREADABLE", `The file "${path}" cannot be read.`, { cause });
  }
}
