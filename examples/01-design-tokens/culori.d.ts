// culori ships no types. These are the six functions this example uses, as its documentation states them.
declare module "culori" {
  export interface Lab65 {
    readonly mode: "lab65";
    readonly l: number;
    readonly a: number;
    readonly b: number;
  }
  export interface Oklch {
    readonly mode: "oklch";
    readonly l: number;
    readonly c: number;
    /** Degrees; missing for grey. */
    readonly h?: number;
  }
  export interface Rgb {
    readonly mode: "rgb";
    readonly r: number;
    readonly g: number;
    readonly b: number;
  }
  export type Color = string | Lab65 | Oklch | Rgb;
  export function lab65(color: Color): Lab65 | undefined;
  export function oklch(color: Color): Oklch | undefined;
  export function rgb(color: Color): Rgb | undefined;
  export function oklab(
    color: Color,
  ): { readonly l: number; readonly a: number; readonly b: number } | undefined;
  export function formatHex(color: Color): string;
  export function wcagContrast(one: Color, other: Color): number;
  export function differenceCiede2000(): (one: Color, other: Color) => number;
  export function filterDeficiencyProt(severity: number): (color: Color) => Rgb;
  export function filterDeficiencyDeuter(severity: number): (color: Color) => Rgb;
  export function filterDeficiencyTrit(severity: number): (color: Color) => Rgb;
}
