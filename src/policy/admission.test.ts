import fc from "fast-check";
import { expect, test } from "vitest";
import type { ResourceTerms } from "../model/resource/resource.ts";
import {
  admit,
  findResourceOverride,
  keyTerms,
  NEW_RESOURCE_STATE,
  type Admission,
  type AskedUse,
  type KeyTerms,
  type KeyView,
  type ResourceOverride,
  type ResourceState,
} from "./admission.ts";
import { moveBreaker, newBreaker } from "./breaker/breaker.ts";
import { quotaTerms } from "./quota.ts";

const NOW_MS = 1_800_000_000_000;
const BREAKER = {
  threshold: 1,
  recoveryMs: 1_000,
  ratio: null,
  probes: 2,
  successes: 1,
  whenOpen: null,
};

const TERMS: ResourceTerms = {
  name: "api",
  keyed: true,
  limit: 4,
  limits: { big: 9 },
  quotas: [{ rate: 5, perMs: 1_000, burst: 5, maxWaitMs: null }],
  breaker: null,
  breakers: { big: BREAKER },
  retryBudget: null,
};

function overrideOf(override: Partial<ResourceOverride>): ResourceOverride {
  return { limit: null, quotas: null, untilMs: null, actor: "ada", reason: "a test", ...override };
}

function stateOf(state: Partial<ResourceState>): ResourceState {
  return { ...NEW_RESOURCE_STATE, ...state };
}

function use(terms: Partial<KeyTerms>, asked: Partial<AskedUse> = {}): AskedUse {
  const all = { limit: null, quotas: [], breaker: null, ...terms };
  return { terms: all, costs: null, maxWaitMs: null, ...asked };
}

const view = (
  state: Partial<ResourceState>,
  held: number = 0,
  probesHeld: number = 0,
): KeyView => ({
  state: stateOf(state),
  held,
  probesHeld,
});

const open = moveBreaker(
  newBreaker(NOW_MS - 5_000),
  { state: "open", openUntilMs: NOW_MS - 1, hintMs: 0 },
  { nowMs: NOW_MS - 2_000 },
);

/** Where everything was granted, the views as they stand then. */
function after(views: readonly KeyView[], answer: Admission): readonly KeyView[] {
  if (!answer.granted) throw new Error("It was refused.");
  return views.map((known, index) => {
    const granted = answer.uses[index];
    const probes = granted?.probe === true ? 1 : 0;
    return {
      state: granted?.state ?? known.state,
      held: known.held + 1,
      probesHeld: known.probesHeld + probes,
    };
  });
}

test("a key has the limit and the breaker of its name, any other what is declared for all", () => {
  expect(keyTerms(TERMS, "big", null)).toMatchObject({ limit: 9, breaker: BREAKER });
  for (const key of ["small", "constructor", "__proto__", null])
    expect(keyTerms(TERMS, key, null)).toMatchObject({ limit: 4, breaker: null });
});

test("an override replaces what it names, and leaves the rest as declared", () => {
  const declared = keyTerms(TERMS, "big", null);
  expect(keyTerms(TERMS, "big", overrideOf({ limit: 0 }))).toEqual({ ...declared, limit: 0 });
  const quotas = [{ rate: 1, perMs: 1_000, burst: 1, maxWaitMs: 7 }];
  expect(keyTerms(TERMS, "big", overrideOf({ quotas }))).toEqual({
    ...declared,
    quotas: [quotaTerms({ rate: 1, perMs: 1_000, burst: 1, maxWaitMs: 7 })],
  });
});

test("the override of a key holds before that of the whole, until it lapses to the ms", () => {
  const own = overrideOf({ limit: 1, untilMs: NOW_MS });
  const whole = overrideOf({ limit: 2 });
  const find = (nowMs: number) =>
    findResourceOverride(stateOf({ override: own }), stateOf({ override: whole }), nowMs);
  expect([find(NOW_MS - 1), find(NOW_MS)]).toEqual([own, whole]);
  expect(findResourceOverride(stateOf({ override: own }), null, NOW_MS)).toBeNull();
});

test("a pause comes before a breaker, a breaker before a limit, and a limit before a quota", () => {
  const quotas = [quotaTerms({ rate: 1, perMs: 1_000, burst: 1 })];
  const taken = { tatUs: NOW_MS * 1_000 + 500_000, lastNowUs: NOW_MS * 1_000 };
  const asked = use({ limit: 1, quotas, breaker: BREAKER });
  const shut = { ...open, openUntilMs: NOW_MS + 9 };
  const all = { pausedUntilMs: NOW_MS + 5, breaker: shut, quotas: [taken] };
  const because = (state: Partial<ResourceState>, held: number): unknown => {
    const answer = admit([asked], [view(state, held)], NOW_MS);
    return answer.granted || [answer.because, answer.untilMs];
  };
  expect(because(all, 1)).toEqual(["pause", NOW_MS + 5]);
  expect(because({ ...all, pausedUntilMs: NOW_MS }, 1)).toEqual(["breaker", NOW_MS + 9]);
  expect(because({ quotas: [taken] }, 1)).toEqual(["limit", null]);
  expect(because({ quotas: [taken] }, 0)).toEqual(["quota", NOW_MS + 500]);
  expect(because({}, 0)).toBe(true);
});

test("a key that works has no breaker to store, and the generation of a new one", () => {
  const answer = admit([use({ breaker: BREAKER })], [view({})], NOW_MS);
  expect(answer).toMatchObject({
    uses: [{ state: NEW_RESOURCE_STATE, probe: false, generation: 1 }],
  });
  expect(admit([use({})], [view({})], NOW_MS)).toMatchObject({ uses: [{ generation: 0 }] });
});

test("one that would have to wait too long is refused for good, one whose cost fits nowhere too", () => {
  const quotas = [quotaTerms({ rate: 1, perMs: 1_000, burst: 2, maxWaitMs: 400 })];
  const taken = view({
    quotas: [{ tatUs: NOW_MS * 1_000 + 1_500_000, lastNowUs: NOW_MS * 1_000 }],
  });
  const isFinal = (asked: AskedUse): boolean => {
    const answer = admit([asked], [taken], NOW_MS);
    return !answer.granted && answer.final;
  };
  expect(isFinal(use({ quotas }))).toBe(true);
  expect(isFinal(use({ quotas }, { maxWaitMs: 500 }))).toBe(false);
  expect(isFinal(use({ quotas }, { maxWaitMs: 9_000, costs: [3] }))).toBe(true);
});

const quota = fc
  .record({ rate: fc.integer({ min: 1, max: 9 }), burst: fc.integer({ min: 1, max: 6 }) })
  .map(({ rate, burst }) => quotaTerms({ rate, perMs: 1_000, burst }));
const asked = fc
  .record({
    limit: fc.option(fc.integer({ min: 0, max: 4 })),
    quotas: fc.array(quota, { maxLength: 2 }),
    hasBreaker: fc.boolean(),
    costs: fc.option(fc.tuple(fc.nat(2), fc.nat(2))),
  })
  .map(({ limit, quotas, hasBreaker, costs }) =>
    use({ limit, quotas, breaker: hasBreaker ? BREAKER : null }, { costs }),
  );
const closing = moveBreaker(
  open,
  { state: "closed", closedAtMs: NOW_MS - 2_000, rampUsed: 0, rampWindow: 0 },
  { nowMs: NOW_MS - 2_000 },
);
const known = fc
  .record({
    held: fc.nat(3),
    probesHeld: fc.nat(2),
    breaker: fc.constantFrom(null, null, open, closing, { ...open, openUntilMs: NOW_MS + 1 }),
    pausedUntilMs: fc.constantFrom(null, null, NOW_MS, NOW_MS + 1),
  })
  .map(({ held, probesHeld, ...state }) => view(state, held, probesHeld));
const asking = fc.array(fc.tuple(asked, known), { minLength: 1, maxLength: 3 }).map((pairs) => ({
  uses: pairs.map(([one]) => one),
  views: pairs.map(([, one]) => one),
}));

test("all uses are granted, or none: together they go exactly where each would go alone", () => {
  fc.assert(
    fc.property(asking, ({ uses, views }) => {
      const alone = uses.map((one, index) => admit([one], views.slice(index, index + 1), NOW_MS));
      const together = admit(uses, views, NOW_MS);
      expect(together.granted).toBe(alone.every(({ granted }) => granted));
      if (together.granted) {
        expect(together.uses).toEqual(alone.flatMap((one) => (one.granted ? one.uses : [])));
        expect(together.room).toBe(Math.min(...alone.map((one) => (one.granted ? one.room : 0))));
      } else {
        const { index, ...refusal } = together;
        expect(alone[index]).toEqual({ ...refusal, index: 0 });
      }
    }),
    { numRuns: 500 },
  );
});

test("nothing is debited or changed where it is refused: what it was asked about is as it was", () => {
  fc.assert(
    fc.property(asking, ({ uses, views }) => {
      const before = structuredClone({ uses, views });
      admit(uses, views, NOW_MS);
      expect({ uses, views }).toEqual(before);
    }),
  );
});

test("the room is true: so many more are granted at once, and then no other", () => {
  fc.assert(
    fc.property(asking, ({ uses, views }) => {
      let answer = admit(uses, views, NOW_MS);
      fc.pre(answer.granted && answer.room < 50);
      if (!answer.granted) return;
      let now = after(views, answer);
      for (let { room } = answer; room > 0; room -= 1) {
        answer = admit(uses, now, NOW_MS);
        expect(answer).toMatchObject({ granted: true, room: room - 1 });
        now = after(now, answer);
      }
      const last = admit(uses, now, NOW_MS);
      expect(last.granted).toBe(false);
      // Only who asks hears when.
      if (!last.granted && last.because === "quota")
        expect(answer).toMatchObject({ roomBy: "quota" });
    }),
    { numRuns: 500 },
  );
});
