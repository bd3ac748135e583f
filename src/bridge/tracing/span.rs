//! What a span has for a layer: its step, and how long it was busy.

use std::time::{Duration, Instant};

use tracing_subscriber::registry::ExtensionsMut;

#[derive(Debug, Default)]
pub(super) struct SpanState {
    pub(super) step: Option<i128>,
    pub(super) busy: Busy,
}

/// The states of a span, each with the layer it belongs to.
#[derive(Debug)]
pub(super) struct SpanStates(Vec<(u64, SpanState)>);

impl SpanStates {
    pub(super) fn add(extensions: &mut ExtensionsMut<'_>, layer: u64, state: SpanState) {
        match extensions.get_mut::<Self>() {
            Some(states) => states.0.push((layer, state)),
            None => {
                extensions.replace(Self(vec![(layer, state)]));
            }
        }
    }

    pub(super) fn of(&mut self, layer: u64) -> Option<&mut SpanState> {
        let mut states = self.0.iter_mut();
        states
            .find(|(other, _)| *other == layer)
            .map(|(_, state)| state)
    }
}

/// The time in which somebody is inside. Several threads can be, and one of them several times.
#[derive(Debug, Default)]
pub(super) struct Busy {
    inside: usize,
    /// When the first of those inside came.
    since: Option<Instant>,
    /// Without that of those inside.
    total: Option<Duration>,
}

impl Busy {
    pub(super) fn enter(&mut self, now: Instant) {
        self.inside += 1;
        self.since.get_or_insert(now);
    }

    pub(super) fn leave(&mut self, now: Instant) {
        self.inside = self.inside.saturating_sub(1);
        if self.inside == 0
            && let Some(since) = self.since.take()
        {
            let total = self.total.get_or_insert_default();
            *total = total.saturating_add(now.saturating_duration_since(since));
        }
    }

    /// `None` if nobody was inside.
    pub(super) fn total(&self) -> Option<Duration> {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_counts_once_however_many_are_inside() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut busy = Busy::default();
        assert_eq!(busy.total(), None);
        busy.enter(at(100));
        busy.leave(at(150));
        assert_eq!(busy.total(), Some(Duration::from_millis(50)));

        // Three on two threads, the first of whom leaves first; then again alone.
        busy.enter(at(1000));
        busy.enter(at(1001));
        busy.leave(at(1002));
        busy.enter(at(1003));
        busy.leave(at(1005));
        assert_eq!(busy.total(), Some(Duration::from_millis(50)));
        busy.leave(at(1010));
        busy.enter(at(2000));
        busy.leave(at(2003));
        assert_eq!(busy.total(), Some(Duration::from_millis(50 + 10 + 3)));
    }

    #[test]
    fn a_clock_that_goes_back_and_a_leave_too_many_cost_nothing() {
        let start = Instant::now();
        let mut busy = Busy::default();
        busy.leave(start);
        assert_eq!(busy.total(), None);
        busy.enter(start + Duration::from_secs(1));
        busy.leave(start);
        assert_eq!(busy.total(), Some(Duration::ZERO));
    }
}
