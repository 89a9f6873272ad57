import { expect, test } from "vitest";
import { RobotsCache } from "./robots.ts";

const HOUR_MS = 3_600_000;
const TEXT = "User-agent: *\nDisallow: /private/\n\nUser-agent: other\nDisallow: /\n";

function setup(read: () => Promise<string | undefined> = () => Promise.resolve(TEXT)) {
  const asked: string[] = [];
  const cache = new RobotsCache("millrace-example");
  const isAllowed = (address: string, nowMs = 0): Promise<boolean> =>
    cache.isAllowed(new URL(address), nowMs, (url) => {
      asked.push(url);
      return read();
    });
  return { asked, isAllowed };
}

test("a host is asked once for all who wait and for an hour, and each host for itself", async () => {
  const { asked, isAllowed } = setup();
  const all = ["http://a.test/1", "http://a.test/private/2", "http://b.test/1"];
  expect(await Promise.all(all.map((url) => isAllowed(url)))).toEqual([true, false, true]);
  expect(await isAllowed("http://a.test/3", HOUR_MS - 1)).toBe(true);
  expect(asked).toEqual(["http://a.test/robots.txt", "http://b.test/robots.txt"]);
  await isAllowed("http://a.test/3", HOUR_MS);
  expect(asked).toHaveLength(3);
});

test("a host without robots.txt allows everything", async () => {
  const { isAllowed } = setup(() => Promise.resolve(undefined));
  expect(await isAllowed("http://a.test/private/")).toBe(true);
});

test("a failure is not kept, and one who waits for another's answer then asks for itself", async () => {
  let calls = 0;
  const { isAllowed } = setup(() =>
    ++calls === 1 ? Promise.reject(new Error("cancelled")) : Promise.resolve(TEXT),
  );
  const [first, second] = await Promise.allSettled([
    isAllowed("http://a.test/1"),
    isAllowed("http://a.test/private/2"),
  ]);
  expect(first).toMatchObject({ status: "rejected" });
  expect(second).toMatchObject({ status: "fulfilled", value: false });
  expect(calls).toBe(2);
});
