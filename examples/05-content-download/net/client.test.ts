// The client against a real server on loopback; the server's log says what was really asked.
import { afterEach, beforeEach, expect, test } from "vitest";
import { listAsked } from "../server/judge.ts";
import { startServer } from "../server/server.ts";
import type { DownloadServer } from "../server/server.ts";
import { Client, readText } from "./client.ts";
import type { Answer, ClientOptions, Question } from "./client.ts";

let server: DownloadServer;
const clients: Client[] = [];
beforeEach(async () => {
  server = await startServer({ answerMs: 1 });
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await server.close();
});

function makeClient(options: Partial<ClientOptions> = {}): Client {
  const client = new Client({
    userAgent: "millrace-example/1.0 (+https://example.com)",
    silenceMsMax: 500,
    connectTimeoutMs: 1_000,
    testServer: { address: "127.0.0.1", port: server.port },
    ...options,
  });
  clients.push(client);
  return client;
}

function ask(options: Partial<Question<number>> = {}): Question<number> {
  const read = ({ status }: Answer): Promise<number> => Promise.resolve(status);
  return { method: "GET", signal: new AbortController().signal, read, ...options };
}

test("R305: redirects are followed to the document, each hop held for itself and checked", async () => {
  const held: string[] = [];
  const seen = await makeClient().visit("http://papers.test/go/zoo", {
    ...ask(),
    hold: ({ url }, block) => {
      held.push(url);
      return block();
    },
    read: ({ url, status }) => Promise.resolve({ url, status }),
  });
  expect(seen).toEqual({
    kind: "answered",
    value: { url: "http://papers.test/zoo.pdf", status: 200 },
  });
  expect(held).toEqual([
    "http://papers.test/robots.txt",
    "http://papers.test/go/zoo",
    "http://mirror.test/robots.txt",
    "http://mirror.test/moved/zoo",
    "http://papers.test/zoo.pdf",
  ]);
});

test("R301: a redirect to a private address is refused, for good, and names it", async () => {
  const visit = makeClient().visit("http://faulty.test/inside.pdf", ask());
  await expect(visit).rejects.toMatchObject({
    message: '"http://10.0.0.7/secret.pdf" is not asked: its host is private.',
    reason: "private",
    millraceClass: "permanent",
  });
});

test("R301: without a server that stands in for them, names under .test are refused unasked", async () => {
  const visit = makeClient({ testServer: undefined }).visit("http://papers.test/zoo.pdf", ask());
  await expect(visit).rejects.toMatchObject({ reason: "reserved" });
  expect(await server.settled()).toEqual([]);
});

test("R301: a name that resolves to loopback is refused, though a server listens there", async () => {
  const client = makeClient({ resolve: () => Promise.resolve(["127.0.0.1"]) });
  const visit = client.visit(`http://innocent.example.com:${server.port}/zoo.pdf`, ask());
  await expect(visit).rejects.toMatchObject({ reason: "loopback" });
  expect(await server.settled()).toEqual([]);
});

test("a loop of redirects ends after five, for good", async () => {
  const visit = makeClient().visit("http://faulty.test/loop/a.pdf", ask());
  await expect(visit).rejects.toMatchObject({ millraceClass: "permanent" });
  const asked = listAsked(await server.settled(), "faulty.test").filter((line) =>
    line.includes("loop"),
  );
  expect(asked).toHaveLength(6);
});

test("R305: what robots.txt closes is not asked, and robots.txt only once", async () => {
  const client = makeClient();
  const closed = "http://papers.test/private/zoo.pdf";
  const seen = await Promise.all([closed, closed, closed].map((url) => client.visit(url, ask())));
  expect(seen).toEqual(Array.from({ length: 3 }, () => ({ kind: "forbidden", url: closed })));
  expect(listAsked(await server.settled(), "papers.test")).toEqual(["GET /robots.txt"]);
});

test("a host whose robots.txt cannot be read just now is not asked for anything else", async () => {
  const visit = makeClient().visit("http://dead.test/zoo.pdf", ask());
  await expect(visit).rejects.toMatchObject({ name: "HttpError", status: 503 });
  expect(listAsked(await server.settled(), "dead.test")).toEqual(["GET /robots.txt"]);
});

test("S27: a header for one host is sent to that host alone, also when it redirects to another", async () => {
  const headersByHost = { "papers.test": { authorization: "Bearer secret" } };
  await makeClient({ headersByHost }).visit("http://papers.test/go/zoo", ask());
  const sent = (await server.settled()).map(({ host, authorization }) => [
    host,
    authorization !== null,
  ]);
  expect(new Map(sent.map(([host, has]) => [host, has]))).toEqual(
    new Map([
      ["papers.test", true],
      ["mirror.test", false],
    ]),
  );
});

test("a text that is longer than it may be is no text", async () => {
  const read = async (answer: Answer): Promise<string> => readText(answer, 10);
  const visit = makeClient().visit("http://journal.test/article/zoo-read", { ...ask(), read });
  await expect(visit).rejects.toThrow('"http://journal.test/article/zoo-read" is longer than 10');
});

test("a body that falls silent is a timeout, one that is cut a broken connection", async () => {
  const client = makeClient();
  const read = (answer: Answer): Promise<string> => readText(answer, 1e9);
  const visit = (address: string): Promise<unknown> =>
    client.visit(`http://${address}`, { ...ask(), read });
  await expect(visit("silent.test/stalled.pdf")).rejects.toMatchObject({
    code: "UND_ERR_BODY_TIMEOUT",
  });
  await expect(visit("torn.test/cut.pdf")).rejects.toMatchObject({ code: "UND_ERR_SOCKET" });
});

test("an aborted question ends with the reason", async () => {
  const controller = new AbortController();
  const read = (answer: Answer): Promise<string> => {
    controller.abort(new Error("enough"));
    return readText(answer, 1e9);
  };
  const question = { ...ask(), read, signal: controller.signal };
  const visit = makeClient().visit("http://silent.test/stalled.pdf", question);
  await expect(visit).rejects.toThrow("enough");
});
