import { expect, test } from "vitest";
import fc from "fast-check";
import { findComponents } from "./component.ts";

/** The keys of a drawing: a digit per pixel, 0 is skipped. */
function parse(...rows: readonly string[]): { keys: Uint32Array; width: number; skip: number } {
  return {
    keys: Uint32Array.from(rows.join(""), Number),
    width: rows[0]?.length ?? 0,
    skip: 0,
  };
}

test("pixels that touch by an edge and are alike are one", () => {
  const { components, indexes } = findComponents(parse("110", "012", "222"));
  expect(components).toEqual([
    { key: 1, area: 3, left: 0, top: 0, right: 1, bottom: 1 },
    { key: 2, area: 4, left: 0, top: 1, right: 2, bottom: 2 },
  ]);
  expect([...indexes]).toEqual([0, 0, -1, -1, 0, 1, 1, 1, 1]);
});

test("a corner is enough only when asked for", () => {
  const drawing = parse("1010", "0101");
  expect(findComponents(drawing).components).toHaveLength(4);
  expect(findComponents({ ...drawing, diagonal: true }).components).toHaveLength(1);
});

test("arms that meet below are one from their first pixel on", () => {
  const { components } = findComponents(parse("10101", "10101", "11111"));
  expect(components).toEqual([{ key: 1, area: 11, left: 0, top: 0, right: 4, bottom: 2 }]);
});

test("the end of one row does not touch the start of the next", () => {
  expect(findComponents(parse("001", "100")).components).toHaveLength(2);
  expect(findComponents({ ...parse("001", "100"), diagonal: true }).components).toHaveLength(2);
});

test("any drawing has the components that a flood fill finds", () => {
  const drawing = fc.record({
    width: fc.integer({ min: 1, max: 7 }),
    height: fc.integer({ min: 1, max: 7 }),
    keys: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 49, maxLength: 49 }),
    diagonal: fc.boolean(),
  });
  fc.assert(
    fc.property(drawing, ({ width, height, keys, diagonal }) => {
      const pixels = Uint32Array.from(keys.slice(0, width * height));
      const found = findComponents({ keys: pixels, width, skip: 0, diagonal });
      expect([...found.indexes]).toEqual(flood(pixels, width, diagonal));
      const areas = found.components.map(
        (_, index) => found.indexes.filter((own) => own === index).length,
      );
      expect(found.components.map(({ area }) => area)).toEqual(areas);
    }),
  );
});

function flood(keys: Uint32Array, width: number, diagonal: boolean): number[] {
  const indexes = Array.from(keys, () => -1);
  let count = 0;
  const fill = (at: number): void => {
    indexes[at] = count;
    for (const near of neighbours(at, keys.length, { width, diagonal })) {
      if (indexes[near] === -1 && keys[near] === keys[at]) fill(near);
    }
  };
  for (const [at, key] of keys.entries()) {
    if (key === 0 || indexes[at] !== -1) continue;
    fill(at);
    count++;
  }
  return indexes;
}

function neighbours(
  at: number,
  length: number,
  { width, diagonal }: { readonly width: number; readonly diagonal: boolean },
): number[] {
  const [x, y] = [at % width, Math.floor(at / width)];
  const around = [-1, 0, 1].flatMap((dx) => [-1, 0, 1].map((dy) => ({ dx, dy })));
  return around
    .filter(({ dx, dy }) => (diagonal ? dx !== 0 || dy !== 0 : Math.abs(dx) + Math.abs(dy) === 1))
    .map(({ dx, dy }) => ({ x: x + dx, y: y + dy }))
    .filter((near) => near.x >= 0 && near.x < width && near.y >= 0 && near.y * width < length)
    .map((near) => near.y * width + near.x);
}
