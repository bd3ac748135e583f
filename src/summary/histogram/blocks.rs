//! Chunks of values to blocks of floats, of one size, of which a compiler makes vectors.

use super::place::Float;
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
    let mut space = [T::Exact::INFINITY; BLOCK];
    let mut gathered = [T::default(); BLOCK];
    let mut len = 0;
    for chunk in chunks {
        let (blocks, mut rest) = chunk.as_chunks();
        for block in blocks {
            act(T::exact_block(block, &mut space), BLOCK);
        }
        if len + rest.len() >= BLOCK {
            let (first, others) = rest.split_at(BLOCK - len);
            gathered[len..].copy_from_slice(first);
            act(T::exact_block(&gathered, &mut space), BLOCK);
            (len, rest) = (0, others);
        }
        gathered[len..][..rest.len()].copy_from_slice(rest);
        len += rest.len();
    }
    if len > 0 {
        let first = gathered[0];
        gathered[len..].fill(first);
        act(T::exact_block(&gathered, &mut space), len);
    }
}
