import type { Literature } from "../output/literature.ts";
export function drawReport(_l: Literature): string { return ""; }
