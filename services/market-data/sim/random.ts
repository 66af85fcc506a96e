/** A seeded stream of numbers: the same seed, the same stream, everywhere. */
export interface Random {
  /** in [0, 1) */
  uniform(): number
  /** mean 0, deviation 1 */
  normal(): number
}

/** sfc32, seeded by the hash of a text (Chris Doty-Humphrey's generator; passes PractRand). */
export function createRandom(seed: string): Random {
  let [a, b, c] = [fnv1a(`${seed}:a`), fnv1a(`${seed}:b`), fnv1a(`${seed}:c`)]
  let counter = 1
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    return (sum >>> 0) / 2 ** 32
  }
  for (let i = 0; i < 16; i++) next()
  return {
    uniform: next,
    // Box-Muller; 1 - u keeps the logarithm finite
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  }
}
function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash | 0
}
