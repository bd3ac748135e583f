//! Chunks of values to blocks, of one size, of which a compiler makes vectors.

use std::slice;

use crate::summary::Scalar;

pub(in crate::summary) const BLOCK: usize = 64;
pub(in crate::summary) type Block<T> = [T; BLOCK];

/// Gives `act` all values, in blocks from where they are, as many at once as are beside each other. What is less than a block
/// comes in a block alone, whose first values, as many as said, are some of the others once more.
#[inline]
pub(super) fn for_all_blocks<'a, T: Scalar>(
    chunks: impl Iterator<Item = &'a [T]>,
    mut act: impl FnMut(&[Block<T>], usize),
) {
    all_blocks(chunks, |blocks, first| {
        act(blocks, first);
        true
    });
}

/// The same until `test` says `false`; says whether it never did.
#[inline]
pub(super) fn all_blocks<'a, T: Scalar>(
    chunks: impl Iterator<Item = &'a [T]>,
    mut test: impl FnMut(&[Block<T>], usize) -> bool,
) -> bool {
    // Of chunks that are less than a block, from `first` on. Most have none.
    let mut gathered = None;
    let mut first = BLOCK;
    for chunk in chunks {
        let (blocks, rest) = chunk.as_chunks();
        let ok = if let Some(last) = chunk.last_chunk() {
            test(blocks, 0) && (rest.is_empty() || test(slice::from_ref(last), BLOCK - rest.len()))
        } else if rest.is_empty() {
            true
        } else {
            let gathered = gathered.get_or_insert([T::default(); BLOCK]);
            let has_room = rest.len() <= first;
            let ok = has_room || test(filled(gathered, first), first);
            first = if has_room { first } else { BLOCK } - rest.len();
            gathered[first..][..rest.len()].copy_from_slice(rest);
            ok
        };
        if !ok {
            return false;
        }
    }
    gathered.is_none_or(|mut gathered| test(filled(&mut gathered, first), first))
}

fn filled<T: Copy>(block: &mut Block<T>, first: usize) -> &[Block<T>] {
    let value = block[first];
    block[..first].fill(value);
    slice::from_ref(block)
}
