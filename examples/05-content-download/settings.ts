// What an installation decides: where results lie, which services are asked, how large, how fast. Read from the
// environment, so that one configuration file serves the bundled list and a real one.
import { join } from "node:path";
import * as z from "zod";
import { Client } from "./net/client.ts";

const PACE = 0.005;

const HEADERS = z.record(z.string(), z.record(z.string(), z.string()));

const ENVIRONMENT = z.object({
  /** Folder for the results. */
  CONTENT_DOWNLOAD_OUT: z
    .string()
    .min(1)
    .default(join(import.meta.dirname, "out")),
  /** Address and port that stand in for every host under `.test`; `none`: such hosts are refused. */
  CONTENT_DOWNLOAD_TEST_SERVER: z
    .string()
    .regex(/^(?:none|[0-9.]+:[0-9]{1,5})$/)
    .default("127.0.0.1:8805"),
  CONTENT_DOWNLOAD_METADATA: z.string().default("http://metadata.test"),
  CONTENT_DOWNLOAD_ARCHIVE: z.string().default("http://archive.test"),
  CONTENT_DOWNLOAD_AGENT: z.string().min(1).default("millrace-example/1.0"),
  /** Headers for single hosts, such as keys, as JSON: `{"api.example.com": {"authorization": "..."}}`. */
  CONTENT_DOWNLOAD_HEADERS: z
    .string()
    .default("{}")
    .transform((text) => HEADERS.parse(JSON.parse(text))),
  /** Largest document, bytes. */
  CONTENT_DOWNLOAD_BYTES_MAX: z.coerce.number().int().min(1).default(2_000_000),
  /** 1 for the real world; the bundled list is done 200 times as fast. */
  CONTENT_DOWNLOAD_PACE: z.coerce.number().min(0.001).max(1).default(PACE),
  /** A file of faults to order; see fault/fault.ts. */
  CONTENT_DOWNLOAD_FAULTS: z.string().min(1).optional(),
});

/** Everything the stages are provided with. */
export interface Web {
  readonly client: Client;
  readonly out: string;
  readonly metadata: string | undefined;
  readonly archive: string | undefined;
  readonly bytesMax: number;
  readonly faults: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** How much faster than in the real world waits pass: 1 is real. */
export function readPace(environment: Environment): number {
  return ENVIRONMENT.parse(environment).CONTENT_DOWNLOAD_PACE;
}

/** Reads the settings; throws with all faults when one is not what it should be. */
export function makeWeb(environment: Environment): Web {
  const read = ENVIRONMENT.parse(environment);
  const [address = "", port = ""] = read.CONTENT_DOWNLOAD_TEST_SERVER.split(":");
  const pace = read.CONTENT_DOWNLOAD_PACE;
  const client = new Client({
    userAgent: read.CONTENT_DOWNLOAD_AGENT,
    headersByHost: read.CONTENT_DOWNLOAD_HEADERS,
    // Never under half a second: a busy machine is no silent host.
    silenceMsMax: Math.max(500, 30_000 * pace),
    connectTimeoutMs: Math.max(1_000, 10_000 * pace),
    testServer: port === "" ? undefined : { address, port: Number(port) },
  });
  return {
    client,
    out: read.CONTENT_DOWNLOAD_OUT,
    metadata: toService(read.CONTENT_DOWNLOAD_METADATA),
    archive: toService(read.CONTENT_DOWNLOAD_ARCHIVE),
    bytesMax: read.CONTENT_DOWNLOAD_BYTES_MAX,
    faults: read.CONTENT_DOWNLOAD_FAULTS,
  };
}

/** An empty text stands for no service. */
function toService(address: string): string | undefined {
  return address === "" ? undefined : address.replace(/\/$/, "");
}
