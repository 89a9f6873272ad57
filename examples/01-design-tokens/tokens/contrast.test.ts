import { expect, test } from "vitest";
import { judgeContrast } from "./contrast.ts";

test.each([
  { hex: "#000000", ratio: "21.00", aa: true, aaa: true },
  { hex: "#767676", ratio: "4.54", aa: true, aaa: false },
  { hex: "#777777", ratio: "4.48", aa: false, aaa: false },
  { hex: "#ffffff", ratio: "1.00", aa: false, aaa: false },
])("R300: $hex on white has contrast $ratio", ({ hex, ratio, aa, aaa }) => {
  const verdict = judgeContrast(hex, "#ffffff", 16);
  expect(verdict.ratio.toFixed(2)).toBe(ratio);
  expect([verdict.aa, verdict.aaa]).toEqual([aa, aaa]);
  expect(judgeContrast("#ffffff", hex, 16)).toEqual(verdict);
});

test("R300: from 24 px on, 3.0 is enough for AA and 4.5 for AAA", () => {
  expect(judgeContrast("#777777", "#ffffff", 23.9)).toMatchObject({ large: false, aa: false });
  expect(judgeContrast("#777777", "#ffffff", 24)).toMatchObject({
    large: true,
    aa: true,
    aaa: false,
  });
  expect(judgeContrast("#767676", "#ffffff", 24)).toMatchObject({ aa: true, aaa: true });
  expect(judgeContrast("#959595", "#ffffff", 24)).toMatchObject({ aa: false });
});
