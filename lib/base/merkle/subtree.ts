/** Which complete subtrees a Merkle tree is made of: arithmetic on its size alone. */

/** A complete subtree: 2^level leaves, the `index`th of its level. */
export interface Subtree {
  readonly level: number;
  readonly index: number;
}

/** The complete subtrees that a tree of `size` leaves is made of, the largest (leftmost) first. */
export function parts(size: number): readonly Subtree[] {
  const found: Subtree[] = [];
  let level = 0;
  for (let rest = size; rest >= 1; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) found.unshift({ level, index: rest - 1 });
    level += 1;
  }
  return found;
}
