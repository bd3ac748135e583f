//! Chunks of values to blocks of floats, of one size, of which a compiler makes vectors.

use super::float::Float;
use crate::summary::Scalar;

pub(in crate::summary) const BLOCK: usize = 64;
pub(in crate::summary) type Block<F> = [F; BLOCK];

/// Gives `act` all values: full blocks from where they are, and what is left of the chunks together. The last block may have
/// fewer, as many as said; the rest of it is the first value again.
#[inline]
pub(super) fn for_each_block<'a, T: Scalar>(
    chunks: impl Iterator<Item = &'a [T]>,
    mut act: impl FnMut(&Block<T::Exact>, usize),
) {
    all_blocks(chunks, |block, len| {
        act(block, len);
        true
    });
}

/// The same until `test` says `false`; says whether it never did.
#[inline]
pub(super) fn all_blocks<'a, T: Scalar>(
    chunks: impl Iterator<Item = &'a [T]>,
    mut test: impl FnMut(&Block<T::Exact>, usize) -> bool,
) -> bool {
    let mut space = [T::Exact::INFINITY; BLOCK];
    let mut gathered = [T::default(); BLOCK];
    let mut len = 0;
    for chunk in chunks {
        let (blocks, mut rest) = chunk.as_chunks();
        for block in blocks {
            if !test(T::exact_block(block, &mut space), BLOCK) {
                return false;
            }
        }
        if len + rest.len() >= BLOCK {
            let (first, others) = rest.split_at(BLOCK - len);
            gathered[len..].copy_from_slice(first);
            if !test(T::exact_block(&gathered, &mut space), BLOCK) {
                return false;
            }
            (len, rest) = (0, others);
        }
        gathered[len..][..rest.len()].copy_from_slice(rest);
        len += rest.len();
    }
    if len == 0 {
        return true;
    }
    let first = gathered[0];
    gathered[len..].fill(first);
    test(T::exact_block(&gathered, &mut space), len)
}
