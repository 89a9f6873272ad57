// No connection is opened here: what would be opened is looked at.
import { expect, test } from "vitest";
import type { buildConnector } from "undici";
import { makePinnedConnect } from "./pinned-connect.ts";
import type { ConnectOptions } from "./pinned-connect.ts";

interface Outcome {
  readonly error: Error | undefined;
  /** What would have been connected to. */
  readonly opened: readonly buildConnector.Options[];
}

const WISH = { protocol: "https:", hostname: "docs.example.com", port: "" };

async function tryConnect(
  options: Partial<ConnectOptions>,
  wish: Partial<buildConnector.Options> = {},
): Promise<Outcome> {
  const opened: buildConnector.Options[] = [];
  const noSocket = new Error("no socket in this test");
  const connect = makePinnedConnect({
    connectTimeoutMs: 1_000,
    open: (place, callback) => {
      opened.push(place);
      callback(noSocket, null);
    },
    ...options,
  });
  const error = await new Promise<Error | null>((resolve) => {
    connect({ ...WISH, ...wish }, (...[fault]) => resolve(fault));
  });
  return { error: error === noSocket || error === null ? undefined : error, opened };
}

test("R301: a connection goes to the address that was checked, under the name's certificate", async () => {
  let asked = 0;
  // Turns the name round after the first question.
  const resolve = (): Promise<string[]> =>
    Promise.resolve([asked++ === 0 ? "8.8.8.8" : "127.0.0.1"]);
  const { opened } = await tryConnect({ resolve });
  expect(opened).toMatchObject([
    { hostname: "8.8.8.8", port: "443", servername: "docs.example.com" },
  ]);
  expect(asked).toBe(1);
});

test.each([
  ["loopback", ["127.0.0.1"]],
  ["private", ["8.8.8.8", "10.0.0.7"]],
  ["link-local", ["2606:4700:4700::1111", "fe80::1"]],
  ["embedded", ["::ffff:10.0.0.7"]],
])("R301: a name with a %s address among its own is not connected to", async (fault, addresses) => {
  const { error, opened } = await tryConnect({ resolve: () => Promise.resolve(addresses) });
  expect(error).toMatchObject({ name: "UnsafeUrlError", reason: fault });
  expect(opened).toEqual([]);
});

test("R301: an address in place of a name is checked without asking anybody", async () => {
  const resolve = (): Promise<string[]> => Promise.reject(new Error("asked"));
  const { error, opened } = await tryConnect({ resolve }, { hostname: "[::1]" });
  expect(error).toMatchObject({ reason: "loopback" });
  expect(opened).toEqual([]);
});

test("a name under .test leads to the server that stands in for it, and nowhere without one", async () => {
  const wish = { hostname: "papers.test", protocol: "http:" };
  const testServer = { address: "127.0.0.1", port: 8805 };
  const { opened } = await tryConnect({ testServer }, wish);
  expect(opened).toMatchObject([{ hostname: "127.0.0.1", port: "8805" }]);
  const refused = await tryConnect({}, wish);
  expect(refused.error).toMatchObject({ reason: "reserved" });
  expect(refused.opened).toEqual([]);
});

test("a name without an address is one that does not exist", async () => {
  const { error } = await tryConnect({ resolve: () => Promise.resolve([]) });
  expect(error).toMatchObject({ code: "ENOTFOUND" });
});
