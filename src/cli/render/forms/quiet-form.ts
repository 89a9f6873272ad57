// The form that says nothing until the end: `-q` and `--log quiet`.

import { renderClosing } from "../closing/closing-lines.ts";
import type { FormOptions, ProgressForm } from "./progress-form.ts";

/** Writes the closing block, and what must not be missed before. */
export function makeQuietForm({ look, write }: FormOptions): ProgressForm {
  return {
    begin: () => undefined,
    tell: () => undefined,
    foresee: () => undefined,
    remark: ({ text, level }) => {
      if (level === "warning") write(`${text}\n`);
    },
    stopping: () => undefined,
    finish: (closing) => {
      write(`${renderClosing(closing, look).join("\n")}\n`);
    },
    abandon: () => undefined,
  };
}
