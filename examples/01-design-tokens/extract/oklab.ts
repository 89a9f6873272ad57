// sRGB to OKLab for millions of pixels: the published matrices, with a table for the transfer curve. culori
// does the same for single colours; a test compares the two.

const LINEAR = Float64Array.from({ length: 256 }, (_, byte) => {
  const value = byte / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
});

/** Writes lightness (0 to 1), a and b of 0xrrggbb into `target` from index `at`. */
function writeOklab(packed: number, target: Float64Array, at: number): void {
  const red = LINEAR[(packed >> 16) & 255] ?? 0;
  const green = LINEAR[(packed >> 8) & 255] ?? 0;
  const blue = LINEAR[packed & 255] ?? 0;
  const long = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const medium = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const short = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  target[at] = 0.2104542553 * long + 0.793617785 * medium - 0.0040720468 * short;
  target[at + 1] = 1.9779984951 * long - 2.428592205 * medium + 0.4505937099 * short;
  target[at + 2] = 0.0259040371 * long + 0.7827717662 * medium - 0.808675766 * short;
}

/** OKLab of many colours, three numbers each. */
export function toOklab(packed: ArrayLike<number>): Float64Array {
  const lab = new Float64Array(packed.length * 3);
  for (let index = 0; index < packed.length; index++) {
    writeOklab(packed[index] ?? 0, lab, index * 3);
  }
  return lab;
}

/** 0xrrggbb for an OKLab colour; what lies outside sRGB is clamped. */
export function fromOklab(lightness: number, a: number, b: number): number {
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const red = toByte(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short);
  const green = toByte(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short);
  const blue = toByte(-0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short);
  return (red << 16) | (green << 8) | blue;
}

function toByte(linear: number): number {
  const value = linear <= 0.0031308 ? linear * 12.92 : 1.055 * linear ** (1 / 2.4) - 0.055;
  return Math.max(0, Math.min(255, Math.round(value * 255)));
}
