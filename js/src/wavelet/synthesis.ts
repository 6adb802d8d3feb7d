/**
 * One level of the inverse transform (Mallat 1989), for any pair of reconstruction filters of even length L.
 *
 * Along one axis n coefficients c give 2n - L + 2 samples: y[m] = sum over k of c[k] rec[m - 2k + L - 2]. With
 * m = 2q + p (p is 0 or 1) only L/2 coefficients take part: y[2q + p] = sum over j of c[q + j] rec[L - 2 + p - 2j].
 * This is the convention of PyWavelets. Samples beyond the requested size are not computed.
 */

/** A rectangle of a row-major array. */
export interface Plane {
  readonly data: Float32Array;
  readonly offset: number;
  readonly stride: number;
  readonly height: number;
  readonly width: number;
}

/** Writes the next finer approximation from this level's four bands; details are LH, HL, HH. */
export type Synthesis = (approximation: Plane, details: readonly [Plane, Plane, Plane], out: Plane) => void;

type Line = Float64Array<ArrayBuffer>;

export function synthesisOf(lowpass: Float64Array, highpass: Float64Array): Synthesis {
  if (isHaar(lowpass, highpass)) return haar;
  const scratch: Line[] = [];
  return (approximation, details, out) => {
    filterBank(lowpass, highpass, scratch, approximation, details, out);
  };
}

function isHaar(lowpass: Float64Array, highpass: Float64Array): boolean {
  const near = (value: number | undefined, expected: number): boolean =>
    Math.abs((value ?? Number.NaN) - expected) < 1e-12;
  const all = lowpass.length === 2 && near(lowpass[0], Math.SQRT1_2) && near(lowpass[1], Math.SQRT1_2);
  return all && near(highpass[0], Math.SQRT1_2) && near(highpass[1], -Math.SQRT1_2);
}

/** Haar by 2x2 butterflies: four coefficients make four pixels. */
function haar(approximation: Plane, [lh, hl, hh]: readonly [Plane, Plane, Plane], out: Plane): void {
  const rows = (out.height + 1) >> 1;
  const columns = (out.width + 1) >> 1;
  for (let y = 0; y < rows; y++) {
    const below = 2 * y + 1 < out.height;
    let at = out.offset + 2 * y * out.stride;
    const end = at + out.width;
    for (let x = 0; x < columns; x++, at += 2) {
      const a = approximation.data[approximation.offset + y * approximation.stride + x] as number;
      const v = lh.data[lh.offset + y * lh.stride + x] as number;
      const h = hl.data[hl.offset + y * hl.stride + x] as number;
      const d = hh.data[hh.offset + y * hh.stride + x] as number;
      const right = at + 1 < end;
      out.data[at] = 0.5 * (a + v + h + d);
      if (right) out.data[at + 1] = 0.5 * (a + v - h - d);
      if (below) out.data[at + out.stride] = 0.5 * (a - v + h - d);
      if (right && below) out.data[at + out.stride + 1] = 0.5 * (a - v - h + d);
    }
  }
}

function filterBank(
  lowpass: Float64Array,
  highpass: Float64Array,
  scratch: Line[],
  approximation: Plane,
  [lh, hl, hh]: readonly [Plane, Plane, Plane],
  out: Plane,
): void {
  const low = lineOf(scratch, 0, approximation.width);
  const high = lineOf(scratch, 1, approximation.width);
  for (let y = 0; y < out.height; y++) {
    // Along y first: one row of the band that is low along x, and one of the band that is high along x.
    mixRows(lowpass, highpass, approximation, lh, y, low);
    mixRows(lowpass, highpass, hl, hh, y, high);
    mixColumns(lowpass, highpass, low, high, out, y);
  }
}

/** Row y of what `smooth` (low along y) and `sharp` (high along y) make. */
function mixRows(
  lowpass: Float64Array,
  highpass: Float64Array,
  smooth: Plane,
  sharp: Plane,
  y: number,
  line: Line,
): void {
  const [first, parity, length] = [y >> 1, y & 1, lowpass.length];
  const [smoothData, sharpData, width] = [smooth.data, sharp.data, smooth.width];
  line.fill(0, 0, width);
  for (let j = 0; j < length / 2; j++) {
    const tap = length - 2 + parity - 2 * j;
    const [a, b] = [lowpass[tap] as number, highpass[tap] as number];
    const from = smooth.offset + (first + j) * smooth.stride;
    const sharpFrom = sharp.offset + (first + j) * sharp.stride;
    for (let x = 0; x < width; x++) {
      const mixed = a * (smoothData[from + x] as number) + b * (sharpData[sharpFrom + x] as number);
      line[x] = (line[x] as number) + mixed;
    }
  }
}

/** Along x: row y of the result. */
function mixColumns(
  lowpass: Float64Array,
  highpass: Float64Array,
  low: Line,
  high: Line,
  out: Plane,
  y: number,
): void {
  const [data, width, length] = [out.data, out.width, lowpass.length];
  const start = out.offset + y * out.stride;
  for (let parity = 0; parity < 2; parity++) {
    for (let x = parity, first = 0; x < width; x += 2, first++) {
      let sum = 0;
      for (let tap = length - 2 + parity, at = first; tap >= 0; tap -= 2, at++) {
        sum +=
          (lowpass[tap] as number) * (low[at] as number) + (highpass[tap] as number) * (high[at] as number);
      }
      data[start + x] = sum;
    }
  }
}

function lineOf(scratch: Line[], number: number, width: number): Line {
  const line = scratch[number];
  if (line !== undefined && line.length >= width) return line;
  const longer = new Float64Array(width);
  scratch[number] = longer;
  return longer;
}
