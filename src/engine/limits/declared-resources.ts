// What the resources of a process are: what its pipelines declare, changed by its configuration, one declaration for
// each name. Two that differ are refused as soon as both are known.

import { canonicalJson } from "../../std/json.ts";
import { definitionInvalid } from "../../model/compile/compile.ts";
import { parseResource } from "../../model/compile/parse-resource.ts";
import type { EventDraft } from "../../model/event.ts";
import type { DefinitionFault, PipelineDefinition } from "../../model/definition.ts";
import { MillraceError } from "../../model/errors.ts";
import type {
  ResourceDeclaration,
  ResourceSetting,
  ResourceUse,
} from "../../model/resource/resource.ts";
import { findNearest } from "../../std/nearest.ts";
import type { BoundUse } from "./permit-request.ts";
import { isResourceEvent, tellChange } from "./resource-change.ts";

/** Settings by name, as the configuration has them. */
export type ResourceSettings = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The resources of one process. */
export class DeclaredResources {
  #settings: ResourceSettings;
  #said: Readonly<Record<string, ResourceSetting>>;
  #known: Map<string, ResourceDeclaration> = new Map();
  /** Names that only the configuration has said so far. */
  #unused: Set<string>;
  /** True once one of them has a listener: then events are looked at. */
  #isHeard: boolean = false;
  /** What each declaration has become, so that the same value is looked at once. */
  #bound: WeakMap<ResourceDeclaration, ResourceDeclaration> = new WeakMap();

  /** `said`: the settings as a person wrote them. DEFINITION_INVALID names every impossible setting. */
  constructor(
    settings: ResourceSettings = {},
    said: Readonly<Record<string, ResourceSetting>> = {},
  ) {
    this.#settings = settings;
    this.#said = said;
    this.#unused = new Set(Object.keys(settings));
    const faults: DefinitionFault[] = [];
    for (const [name, values] of Object.entries(settings))
      this.#known.set(name, parseResource({ name, values, faults, base: null }));
    if (faults.length > 0) throw definitionInvalid("resources", faults);
  }

  /** Becomes what another one is: from now on uses are bound to what that declares. Permits that are held stay. */
  replaceBy(other: DeclaredResources): void {
    this.#settings = other.#settings;
    this.#said = other.#said;
    this.#known = new Map(other.#known);
    this.#unused = new Set(other.#unused);
    this.#isHeard = other.#isHeard;
    this.#bound = new WeakMap();
  }

  /** Takes in what a pipeline names in its lists. RESOURCE_UNKNOWN, RESOURCE_CONFLICT. */
  declareAll({ stages }: PipelineDefinition): void {
    for (const { uses } of stages)
      if (Array.isArray(uses)) for (const use of uses as readonly ResourceUse[]) this.bind(use);
  }

  /** All that are known, in order of name. */
  list(): readonly ResourceDeclaration[] {
    return [...this.#known.values()].sort((left, right) =>
      left.terms.name < right.terms.name ? -1 : 1,
    );
  }

  /** Tells those who listen to a resource what happened to it. */
  tell(drafts: readonly EventDraft[]): void {
    if (!this.#isHeard) return;
    for (const draft of drafts) {
      const name = isResourceEvent(draft) ? draft.data?.["resource"] : undefined;
      const declaration = typeof name === "string" ? this.#known.get(name) : undefined;
      if (declaration !== undefined) tellChange(declaration, draft);
    }
  }

  /** What the configuration says of a resource, as it stands there; empty: nothing. */
  settingsOf(name: string): ResourceSetting {
    return this.#said[name] ?? {};
  }

  find(name: string): ResourceDeclaration | undefined {
    return this.#known.get(name);
  }

  /** The use with what is declared for it here. RESOURCE_UNKNOWN, RESOURCE_CONFLICT. */
  bind(use: ResourceUse): BoundUse {
    if (use.declaration === null) return { ...use, declaration: this.#findNamed(use.resource) };
    let declaration = this.#bound.get(use.declaration);
    if (declaration === undefined) {
      declaration = this.#declare(use.declaration);
      this.#bound.set(use.declaration, declaration);
    }
    if (declaration === use.declaration) return use as BoundUse;
    return { ...use, declaration };
  }

  #findNamed(name: string): ResourceDeclaration {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const near = findNearest(name, [...this.#known.keys()]);
    throw new MillraceError("RESOURCE_UNKNOWN", `There is no resource "${name}".`, {
      hint:
        near === undefined
          ? `declare it under "resources" in millrace.config.ts, or use resource("${name}", ...)`
          : `did you mean "${near}"?`,
    });
  }

  #declare(declared: ResourceDeclaration): ResourceDeclaration {
    const { name } = declared.terms;
    const values = this.#settings[name];
    const made =
      values === undefined ? declared : parseResource({ name, values, faults: [], base: declared });
    const known = this.#known.get(name);
    // What only the configuration knows until now is what it changes.
    if (known === undefined || this.#unused.delete(name)) {
      this.#known.set(name, made);
      this.#isHeard ||= made.hooks.onChange !== null;
      return made;
    }
    if (canonicalJson({ ...known.terms }) === canonicalJson({ ...made.terms })) return known;
    throw new MillraceError(
      "RESOURCE_CONFLICT",
      `Two resources are called "${name}" and differ: ${describe(known)} and ${describe(made)}.`,
      { hint: "give one of them another name, or declare it once and import it" },
    );
  }
}

function describe({ terms }: ResourceDeclaration): string {
  const { name: _name, ...rest } = terms;
  return canonicalJson(rest);
}
