import { defineConfig } from "millrace";
import { literatureReview } from "./pipeline.ts";

export default defineConfig({ pipelines: [literatureReview] });
