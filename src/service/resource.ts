export { declareResource as resource } from "../model/make-resource.ts";
export type ResourceHandle = never;
