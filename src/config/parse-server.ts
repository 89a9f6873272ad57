// The section `server` of a configuration: where the API is offered and under which names. What goes together (TLS,
// a proxy, addresses that others can reach) the server judges, since flags have a say in it too.

import { isPlainRecord, OptionReader } from "../model/compile/option-reader.ts";
import type { DefinitionFault } from "../model/definition.ts";

/** The section as it was read. Undefined: the key is absent. */
export interface ParsedServer {
  readonly serverHost: string | undefined;
  readonly serverPort: number | undefined;
  readonly serverSocket: string | undefined;
  readonly serverBasePath: string | undefined;
  readonly serverHosts: readonly string[] | undefined;
  readonly serverBehindProxy: boolean | undefined;
  readonly serverCert: string | undefined;
  readonly serverKey: string | undefined;
  readonly serverTokenFile: string | undefined;
  readonly serverCompatible: CompatibleSettings | undefined;
}

/** What the API of an older system is about, by name. */
export interface CompatibleSettings {
  readonly pipeline: string;
  readonly schedule?: string;
}

const KEYS = [
  "host",
  "port",
  "socket",
  "basePath",
  "hosts",
  "behindProxy",
  "cert",
  "key",
  "tokenFile",
  "compatible",
];

/** Names of one server at most. */
const HOSTS_MAX = 100;

const PATH_CHARS_MAX = 4_096;

/** Characters of the name of a pipeline or schedule. */
const NAME_CHARS_MAX = 200;

/** Reads the section; every fault goes to `faults`. */
export function parseServer(raw: unknown, faults: DefinitionFault[]): ParsedServer {
  if (raw !== undefined && !isPlainRecord(raw)) {
    faults.push({ path: "server", message: "expected a record of settings" });
  }
  const reader = new OptionReader(isPlainRecord(raw) ? raw : {}, "server", faults);
  reader.refuseUnknown(KEYS);
  return {
    serverHost: reader.text("host", 253),
    serverPort: reader.number("port", { min: 0, max: 65_535 }),
    serverSocket: reader.text("socket", PATH_CHARS_MAX),
    serverBasePath: reader.text("basePath", PATH_CHARS_MAX),
    serverHosts: reader.texts("hosts", HOSTS_MAX),
    serverBehindProxy: reader.boolean("behindProxy"),
    serverCert: reader.text("cert", PATH_CHARS_MAX),
    serverKey: reader.text("key", PATH_CHARS_MAX),
    serverTokenFile: reader.text("tokenFile", PATH_CHARS_MAX),
    serverCompatible: parseCompatible(reader.raw("compatible"), faults),
  };
}

function parseCompatible(raw: unknown, faults: DefinitionFault[]): CompatibleSettings | undefined {
  if (raw === undefined) return undefined;
  const path = "server.compatible";
  if (!isPlainRecord(raw)) {
    faults.push({ path, message: "expected a record with pipeline and schedule" });
    return undefined;
  }
  const reader = new OptionReader(raw, path, faults);
  reader.refuseUnknown(["pipeline", "schedule"]);
  if (!reader.has("pipeline")) reader.fault("pipeline", "is missing");
  const pipeline = reader.text("pipeline", NAME_CHARS_MAX);
  const schedule = reader.text("schedule", NAME_CHARS_MAX);
  if (pipeline === undefined) return undefined;
  return { pipeline, ...(schedule === undefined ? {} : { schedule }) };
}
