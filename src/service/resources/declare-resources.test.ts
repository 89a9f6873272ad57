import { expect, test } from "vitest";
import { stage } from "../../model/stage/stage.ts";
import type { PipelineDefinition } from "../../model/definition.ts";
import type { ResourceUse } from "../../model/resource/resource.ts";
import { declareResources } from "./declare-resources.ts";
import { pipeline } from "../pipeline.ts";
import { resource } from "./resource.ts";

function using(name: string, ...uses: (ResourceUse | string)[]): PipelineDefinition {
  return pipeline(name, { output: { it: stage("it", { uses }, () => 1) } }).definition;
}

test("the configuration is put over what pipelines declare, and declares what they only name", () => {
  const api = resource("api", { limit: 8, breaker: { threshold: 3 } });
  const settings = { api: { limit: 2 }, db: { limit: 5 } };

  const resources = declareResources(settings, [using("one", api), using("two", api, "db")]);

  expect(resources.list().map(({ terms }) => [terms.name, terms.limit])).toEqual([
    ["api", 2],
    ["db", 5],
  ]);
  expect(resources.find("api")?.terms.breaker?.threshold).toBe(3);
});

test("a name that nothing declares is refused with the nearest", () => {
  expect(() => declareResources({ database: { limit: 5 } }, [using("one", "databse")])).toThrow(
    expect.objectContaining({
      code: "RESOURCE_UNKNOWN",
      message: 'There is no resource "databse".',
      hint: 'did you mean "database"?',
    }),
  );
});

test("two pipelines that declare one name differently are refused", () => {
  const one = using("one", resource("api", { limit: 8 }));
  const two = using("two", resource("api", { limit: 9 }));

  expect(() => declareResources({}, [one, two])).toThrow(
    expect.objectContaining({ code: "RESOURCE_CONFLICT" }),
  );
  expect(declareResources({ api: { limit: 4 } }, [one, two]).find("api")?.terms.limit).toBe(4);
});

test("impossible settings are refused all at once, also where no compiler has seen them", () => {
  const settings = JSON.parse('{"api":{"limit":"8"},"db":{"limit":0}}') as {};

  expect(() => declareResources(settings, [])).toThrow(
    expect.objectContaining({
      code: "DEFINITION_INVALID",
      message: expect.stringMatching(/resources\.api\.limit: .*\n.*resources\.db\.limit: /),
    }),
  );
});
