import { expect, test } from "vitest";
import { makeWeb, readPace } from "./settings.ts";

test("the bundled settings fit the bundled list; a list of one's own may have no services", () => {
  expect(makeWeb({})).toMatchObject({ metadata: "http://metadata.test", bytesMax: 2_000_000 });
  expect(readPace({})).toBe(0.005);
  const own = { CONTENT_DOWNLOAD_METADATA: "", CONTENT_DOWNLOAD_ARCHIVE: "https://a.example/" };
  expect(makeWeb(own)).toMatchObject({ metadata: undefined, archive: "https://a.example" });
});

test.each([
  { CONTENT_DOWNLOAD_TEST_SERVER: "example.com:80" },
  { CONTENT_DOWNLOAD_BYTES_MAX: "0" },
  { CONTENT_DOWNLOAD_PACE: "2" },
  { CONTENT_DOWNLOAD_HEADERS: '{"a.example": "secret"}' },
])("what is no setting is refused: %j", (environment) => {
  expect(() => makeWeb(environment)).toThrow();
});
