// One stage that is done at once.

import { pipeline, stage } from "millrace";

export const quick = pipeline("quick", { stages: [stage("a", {}, () => 1)] });
