// Opens connections to checked addresses alone: a name is resolved once, every address it has is checked, and the
// connection goes to one of those that were checked. Nobody can turn the name round in between. Names under `.test`
// lead to the server that stands in for them, if there is one.
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { buildConnector } from "undici";
import { isTestName, UnsafeUrlError } from "./check-url.ts";
import { findAddressFault } from "./unsafe-address.ts";

/** Where a name may be reached. */
export interface Place {
  readonly address: string;
  readonly port: number;
}

/** What connections depend on. */
export interface ConnectOptions {
  /** Stands in for every name under `.test`; undefined: such names are refused. */
  readonly testServer?: Place | undefined;
  /** Longest time to connect, ms. */
  readonly connectTimeoutMs: number;
  /** All addresses of a name. Default: those of the system. */
  readonly resolve?: (hostname: string) => Promise<readonly string[]>;
  /** Opens the connection to the address that was checked. Default: undici's own. */
  readonly open?: buildConnector.connector;
}

/** A connector for undici's agents. Fails with an UnsafeUrlError before anything is sent. */
export function makePinnedConnect(options: ConnectOptions): buildConnector.connector {
  const connect = options.open ?? buildConnector({ timeout: options.connectTimeoutMs });
  return (wish, callback) => {
    const pin = async (): Promise<void> => {
      const place = await tryFindPlace(wish, options);
      if (place instanceof Error) return callback(place, null);
      // The certificate must still be that of the name.
      const servername = wish.servername ?? wish.hostname;
      const { address, port } = place;
      connect({ ...wish, hostname: address, port: String(port), servername }, callback);
    };
    void pin();
  };
}

async function tryFindPlace(
  wish: buildConnector.Options,
  options: ConnectOptions,
): Promise<Place | Error> {
  try {
    return await findPlace(wish, options);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function findPlace(
  { hostname, port, protocol }: buildConnector.Options,
  options: ConnectOptions,
): Promise<Place> {
  if (isTestName(hostname)) {
    if (options.testServer !== undefined) return options.testServer;
    throw new UnsafeUrlError(`"${hostname}" is not asked: nothing stands in for it.`, "reserved");
  }
  const addresses = await listAddresses(hostname, options.resolve ?? resolveByTheSystem);
  for (const address of addresses) {
    const fault = findAddressFault(address);
    if (fault === undefined) continue;
    const message = `"${hostname}" is not asked: its address ${address} is ${fault}.`;
    throw new UnsafeUrlError(message, fault);
  }
  const [address = ""] = addresses;
  return { address, port: Number(port) || (protocol === "https:" ? 443 : 80) };
}

async function listAddresses(
  hostname: string,
  resolve: (hostname: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const literal = hostname.replace(/^\[|\]$/g, "");
  if (isIP(literal) !== 0) return [literal];
  const addresses = await resolve(hostname);
  if (addresses.length > 0) return addresses;
  throw Object.assign(new Error(`"${hostname}" has no address.`), { code: "ENOTFOUND" });
}

async function resolveByTheSystem(hostname: string): Promise<readonly string[]> {
  const found = await lookup(hostname, { all: true });
  return found.map(({ address }) => address);
}
