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
    let problem = format!("must be between {start} and {end}, got {given}");
    Err(Error::invalid(what, problem))
}

pub(super) fn check_len(what: &'static str, given: usize, wanted: usize) -> Result<()> {
    if given == wanted {
        return Ok(());
    }
    let problem = format!("must be {wanted} in number, got {given}");
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
            let problem = format!("must be {expected}, got {:?} at index {i}", numbers[i]);
            Err(Error::invalid(what, problem))
        }
    }
}
