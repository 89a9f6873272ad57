import { expect, test } from "vitest";
import type { DefinitionFault } from "../model/definition.ts";
import { parseServer } from "./parse-server.ts";

test("the section server is read, and each of its faults is named with its path", () => {
  const faults: DefinitionFault[] = [];
  const good = parseServer({ port: 0, hosts: ["a.example.org"], behindProxy: true }, faults);
  expect([good.serverPort, good.serverHosts, good.serverBehindProxy, faults]).toEqual([
    0,
    ["a.example.org"],
    true,
    [],
  ]);
  const named = { pipeline: "market-data", schedule: "quarter" };
  expect(parseServer({ compatible: named }, faults).serverCompatible).toEqual(named);
  expect(faults).toEqual([]);
  const bad = { port: 65_536, hosts: "a", behind_proxy: true, basePath: 7 };
  parseServer(bad, faults);
  expect(faults.map(({ path }) => path).toSorted()).toEqual([
    "server.basePath",
    "server.behind_proxy",
    "server.hosts",
    "server.port",
  ]);
  faults.length = 0;
  parseServer({ compatible: { schedule: 7, other: 1 } }, faults);
  parseServer({ compatible: "market-data" }, faults);
  expect(faults.map(({ path }) => path).toSorted()).toEqual([
    "server.compatible",
    "server.compatible.other",
    "server.compatible.pipeline",
    "server.compatible.schedule",
  ]);
  parseServer("4400", faults);
  expect(faults.at(-1)?.path).toBe("server");
});
