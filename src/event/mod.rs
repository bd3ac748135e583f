//! The parts of an event that every record has: its wall time and step, and the payload that holds them.
//!
//! `encode` builds payloads, `scan` finds the values in them.

mod encode;
mod scan;

use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) use encode::{
    HEAD_BYTES, SHORT_EVENT_BYTES, append_value, put_head, put_short_event, put_simple_value,
    version,
};
pub(crate) use scan::{PlainScalars, PluginKind, Point, scan};

use crate::error::{Error, Result};
use crate::platform;

/// A point in time: seconds since 1970, always finite, because the fast loader drops the rest of a file after a NaN.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct WallTime(f64);

impl WallTime {
    /// Returns the time of the system, or the start of 1970 where there is no clock.
    #[inline]
    pub(crate) fn now() -> Self {
        match platform::HAS_CLOCK {
            true => SystemTime::now().into(),
            false => Self(0.0),
        }
    }

    /// Returns the time `secs` seconds after the start of 1970, UTC.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `secs` is not finite.
    pub fn from_secs(secs: f64) -> Result<Self> {
        if secs.is_finite() {
            Ok(Self(secs))
        } else {
            let problem = format!("seconds since 1970 must be finite, got {secs}");
            Err(Error::invalid("wall time", problem))
        }
    }

    /// Returns the seconds since the start of 1970, UTC.
    pub fn as_secs(self) -> f64 {
        self.0
    }
}

impl From<SystemTime> for WallTime {
    fn from(time: SystemTime) -> Self {
        Self(match time.duration_since(UNIX_EPOCH) {
            Ok(since) => since.as_secs_f64(),
            Err(before) => -before.duration().as_secs_f64(),
        })
    }
}

/// A time for [`SummaryWriter::at`](crate::SummaryWriter::at): seconds since 1970 as `f64`, a [`SystemTime`], or a
/// [`WallTime`].
pub trait ToWallTime: sealed::WallTime {
    /// Returns the time, or `None` for a number that is not finite.
    fn to_wall_time(self) -> Option<WallTime>;
}

impl ToWallTime for f64 {
    fn to_wall_time(self) -> Option<WallTime> {
        WallTime::from_secs(self).ok()
    }
}

impl ToWallTime for SystemTime {
    fn to_wall_time(self) -> Option<WallTime> {
        Some(self.into())
    }
}

impl ToWallTime for WallTime {
    fn to_wall_time(self) -> Option<WallTime> {
        Some(self)
    }
}

/// The caller's counter: any integer, or the thread's [`CurrentStep`](crate::current::CurrentStep).
///
/// A step beyond the range of `i64` is written as the nearest `i64`, and a warning is logged.
#[diagnostic::on_unimplemented(
    message = "a step must be an integer, got `{Self}`",
    note = "the step is the last argument; the value comes before it"
)]
pub trait Step: Copy + sealed::Step {
    /// Returns the step, or the nearest `i64` as `Err` if the step is out of range.
    fn to_i64(self) -> Result<i64, i64>;
}

macro_rules! steps {
    ($($integer:ty)*) => {$(
        impl sealed::Step for $integer {}
        impl Step for $integer {
            #[allow(unused_comparisons, reason = "an unsigned integer is never negative")]
            fn to_i64(self) -> Result<i64, i64> {
                i64::try_from(self).map_err(|_| if self < 0 { i64::MIN } else { i64::MAX })
            }
        }
    )*};
}

steps!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

#[allow(unnameable_types, reason = "no other crate may implement these traits")]
pub(crate) mod sealed {
    pub trait WallTime {}
    impl WallTime for f64 {}
    impl WallTime for std::time::SystemTime {}
    impl WallTime for super::WallTime {}

    pub trait Step {}
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn steps_out_of_range_become_the_nearest_i64() {
        assert_eq!(7u8.to_i64(), Ok(7));
        assert_eq!((-7i16).to_i64(), Ok(-7));
        assert_eq!(i64::MIN.to_i64(), Ok(i64::MIN));
        assert_eq!(u64::MAX.to_i64(), Err(i64::MAX));
        assert_eq!((1u64 << 63).to_i64(), Err(i64::MAX));
        assert_eq!(i128::MIN.to_i64(), Err(i64::MIN));
    }

    #[test]
    fn wall_times_are_finite_seconds_since_1970() {
        let early = UNIX_EPOCH - Duration::from_millis(1500);
        assert_eq!(WallTime::from(early).as_secs(), -1.5);
        let late = UNIX_EPOCH + Duration::from_millis(1_700_000_000_250);
        assert_eq!(WallTime::from(late).as_secs(), 1_700_000_000.25);
        for secs in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(WallTime::from_secs(secs).is_err());
            assert_eq!(secs.to_wall_time(), None);
        }
    }
}
