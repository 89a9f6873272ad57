// The resources of a mill: what its pipelines declare, under the settings it is opened with. Whatever cannot be is
// refused before anything is opened.

import { DeclaredResources } from "../../engine/limits/declared-resources.ts";
import { definitionInvalid } from "../../model/compile/compile.ts";
import {
  checkResourceSettings,
  toResourceValues,
  type ResourceSettings,
} from "../../model/compile/resource-settings.ts";
import type { DefinitionFault, PipelineDefinition } from "../../model/definition.ts";

/** Puts them together. DEFINITION_INVALID with every impossible setting; RESOURCE_UNKNOWN, RESOURCE_CONFLICT. */
export function declareResources(
  settings: ResourceSettings,
  pipelines: Iterable<PipelineDefinition>,
): DeclaredResources {
  const faults: DefinitionFault[] = [];
  // Who writes JavaScript has no compiler that checks them.
  checkResourceSettings(settings, faults);
  if (faults.length > 0)
    throw definitionInvalid("resources", faults, "The settings of resources are");
  const resources = new DeclaredResources(toResourceValues(settings), settings);
  for (const definition of pipelines) resources.declareAll(definition);
  return resources;
}
