// What a server says about when to come back, over real connections: the server's own log shows when the next
// attempt came. Its clock may be wrong; only the time between its own dates counts.

import { createServer, type ServerResponse } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { pipeline, stage, ThrottledError } from "millrace";

interface Site {
  readonly url: string;
  /** When each call came, ms. */
  readonly log: readonly number[];
}

/** A site that refuses the first call and answers the second. */
async function openSite(refuse: (response: ServerResponse) => void): Promise<Site> {
  const log: number[] = [];
  const server = createServer((_request, response) => {
    log.push(performance.now());
    if (log.length === 1) {
      response.statusCode = 503;
      refuse(response);
    }
    response.end("page");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}/`, log };
}

const DAY_MS = 86_400_000;

/** A Retry-After date one second after the server's own time, by a clock that is wrong by `offMs`. */
function inASecond(offMs: number): (response: ServerResponse) => void {
  return (response) => {
    const nowMs = Math.floor(Date.now() / 1_000) * 1_000 + offMs;
    response.setHeader("date", new Date(nowMs).toUTCString());
    response.setHeader("retry-after", new Date(nowMs + 1_000).toUTCString());
  };
}

test.each([
  ["whole seconds", (response: ServerResponse) => void response.setHeader("retry-after", "1")],
  ["a date", inASecond(0)],
  ["a date of a clock that is a day behind", inASecond(-DAY_MS)],
  ["a date of a clock that is a day ahead", inASecond(DAY_MS)],
])("R152: Retry-After as %s is waited for, whatever maxDelay says", async (_form, refuse) => {
  const site = await openSite(refuse);
  const page = stage(
    "page",
    { retry: { attempts: 2, initialDelay: 1, maxDelay: 10 } },
    async (): Promise<string> => {
      const answer = await fetch(site.url);
      const { status, headers } = answer;
      if (!answer.ok) throw Object.assign(new Error(`HTTP ${status}`), { status, headers });
      return answer.text();
    },
  );

  const result = await pipeline("p", { output: { page } }).run(undefined);

  expect(result.unwrap().page).toBe("page");
  const [first = 0, second = 0] = site.log;
  expect(second - first).toBeGreaterThanOrEqual(999);
  // A tenth of the hint is added at most; the rest is for a busy machine.
  expect(second - first).toBeLessThan(20_000);
});

test("R152: a header handed on as it is makes a ThrottledError wait as long", async () => {
  const site = await openSite((response) => void response.setHeader("retry-after", "1"));
  const page = stage("page", { retry: { attempts: 2, initialDelay: 1 } }, async () => {
    const answer = await fetch(site.url);
    if (answer.ok) return answer.text();
    throw new ThrottledError("later", { retryAfter: answer.headers.get("retry-after") });
  });

  const result = await pipeline("p", { output: { page } }).run(undefined);

  expect(result.state).toBe("succeeded");
  const [first = 0, second = 0] = site.log;
  expect(second - first).toBeGreaterThanOrEqual(999);
});
