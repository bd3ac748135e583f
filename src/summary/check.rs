//! Checks of numbers that callers pass in.

use std::fmt::{Debug, Display};
use std::ops::RangeInclusive;

use crate::error::{Error, Result};

pub(super) fn check_range<T: PartialOrd + Display>(
    what: &'static str,
    given: T,
    allowed: RangeInclusive<T>,
) -> Result<()> {
    if allowed.contains(&given) {
        return Ok(());
    }
    let (start, end) = allowed.into_inner();
    let problem = format!("expected {start} to {end}, got {given}");
    Err(Error::invalid(what, problem))
}

/// `reason` says where the wanted number comes from: "one per label".
pub(super) fn check_len(
    what: &'static str,
    given: usize,
    wanted: usize,
    reason: &str,
) -> Result<()> {
    if given == wanted {
        return Ok(());
    }
    let problem = format!("expected {wanted}, {reason}, got {given}");
    Err(Error::invalid(what, problem))
}

/// Fails at the first number that is not valid. `expected` says what a valid number is.
pub(super) fn check_each<T: Copy + Debug>(
    what: &'static str,
    numbers: &[T],
    expected: &str,
    is_valid: impl Fn(T) -> bool,
) -> Result<()> {
    match numbers.iter().position(|number| !is_valid(*number)) {
        None => Ok(()),
        Some(i) => {
            let problem = format!("expected {expected}, got {:?} at index {i}", numbers[i]);
            Err(Error::invalid(what, problem))
        }
    }
}
