const encoder = new TextEncoder();

/**
 * MurmurHash3 (x86, 32 bits) of the UTF-8 bytes of `text`, as an unsigned integer. Not a secret: it spreads keys evenly
 * and gives every gateway, in any language, the same number. Source: Austin Appleby's public-domain reference.
 */
export function murmurHash(text: string, seed = 0): number {
  const bytes = encoder.encode(text);
  const blocks = bytes.length & ~3;
  let hash = seed | 0;
  for (let at = 0; at < blocks; at += 4) {
    const block =
      (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
    hash ^= scramble(block);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let at = bytes.length - 1; at >= blocks; at -= 1) tail = (tail << 8) | (bytes[at] ?? 0);
  if (bytes.length > blocks) hash ^= scramble(tail);
  hash ^= bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function scramble(block: number): number {
  const mixed = Math.imul(block, 0xcc9e2d51);
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
}

/**
 * 16 hex digits that stood for a caller's key in logs before they were keyed (`serving/routing/key-digest.ts`): to read
 * old rows only.
 */
export function unkeyedDigest(key: string): string {
  return murmurHash(key, 1).toString(16).padStart(8, '0') + murmurHash(key, 2).toString(16).padStart(8, '0');
}
