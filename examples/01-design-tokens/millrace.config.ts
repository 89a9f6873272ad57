import { defineConfig } from "millrace";
import { designTokens } from "./pipeline.ts";

export default defineConfig({ pipelines: [designTokens] });
