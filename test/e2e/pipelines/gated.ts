// Pipelines for tests of the command. Work that is to take its time waits for a file in the working folder, so
// that a test decides when it goes on; what fails, fails until another file is there.

import { existsSync, writeFileSync } from "node:fs";
import { input, map, pipeline, stage, type Context } from "millrace";

/** Resolves when the file is there; rejects when the attempt is aborted. */
async function gate(ctx: Context, name: string): Promise<void> {
  writeFileSync(`at-${name}`, "");
  while (!existsSync(name)) await ctx.sleep("20ms");
}

const order = input<{ readonly rows?: number } | undefined>();

const list = stage("list", { needs: { order } }, ({ order }) =>
  // Without --input there is no input at all.
  Array.from({ length: order?.rows ?? 4 }, (_, index) => ({ id: `sheet-${index}`, index })),
);

const press = map(
  "press",
  { over: list, key: (sheet) => sheet.id, concurrency: 2, onItemFailure: "continue", tolerate: 0 },
  async (sheet, _needs, ctx) => {
    ctx.log.info(`pressing ${sheet.id}`);
    if (sheet.index === 2) await gate(ctx, "open");
    if (sheet.index === 1 && !existsSync("mended")) throw new Error("sheet one is broken");
    return sheet.index * 2;
  },
);

const sum = stage("sum", { needs: { press } }, ({ press: outcomes }) =>
  outcomes.reduce((total, outcome) => total + (outcome.value ?? 0), 0),
);

/** Four items; the second fails until `mended` is there, the third waits for `open`. */
export const gated = pipeline("gated", { input: order, output: { sum }, failFast: false });

const slow = stage("slow", { needs: { order } }, async (_needs, ctx) => {
  await gate(ctx, "open");
  return "done";
});

/** One stage that waits for `open`. */
export const slowly = pipeline("slowly", { input: order, output: { slow } });

const stubborn = stage("stubborn", {}, async () => {
  writeFileSync("at-open", "");
  // Deaf to its signal, on purpose.
  while (!existsSync("open")) await new Promise((resolve) => setTimeout(resolve, 5));
  return "done";
});

/** One stage that does not listen to its signal. */
export const deaf = pipeline("deaf", { output: { stubborn } });

const page = stage("page", {}, () => "page");
const extra = stage("extra", { needs: { page }, critical: false }, (): string => {
  throw new Error("nobody needs this");
});
const flaky = stage(
  "flaky",
  { needs: { page }, retry: { attempts: 3, initialDelay: "1ms" } },
  (_needs, ctx) => {
    if (ctx.attempt < 3)
      throw Object.assign(new Error(`HTTP 503 on attempt ${ctx.attempt}`), { status: 503 });
    return ctx.attempt;
  },
);
const final = stage("final", { needs: { page, extra } }, ({ page: text, extra: more }) => ({
  text,
  more: more.status,
  report: "report.txt",
}));

/** Succeeds with a warning: a stage that is not critical fails. */
export const warned = pipeline("warned", { output: { final } });

/** Succeeds at its third attempt. */
export const retried = pipeline("retried", { output: { flaky } });

const loud = stage("loud", {}, (_needs, ctx) => {
  console.log("printed by user code");
  process.stdout.write("half a line");
  ctx.log.info("an \u001b[2Jinfo line");
  ctx.log.warn("a warning line");
  ctx.log.debug("a debug line");
  return { at: new Date(0), text: "\u001b[31mred" };
});

/** Prints by itself, and logs. */
export const printing = pipeline("printing", { output: { loud } });
