// Fails at first, and is to be tried again after longer than a place is held for it.

import { input, pipeline, stage } from "millrace";

const text = input<{ readonly text: string }>();
const retry = { attempts: 2, initialDelay: "10500ms", jitter: "none" } as const;

const late = stage("late", { needs: { text }, retry }, ({ text: given }, ctx) => {
  if (ctx.attempt === 1) throw new Error("not yet");
  return `${given.text} at attempt ${ctx.attempt}`;
});

export const later = pipeline("later", { input: text, output: { late } });
