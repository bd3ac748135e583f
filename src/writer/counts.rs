//! What a call is counted for though it succeeds, and is reported once.

use std::sync::atomic::Ordering;

use super::Run;

impl Run {
    pub(super) fn count_saturated_step(&self) {
        if self.saturated_step_count.fetch_add(1, Ordering::Relaxed) == 0 {
            log::warn!(
                "{}a step is beyond the range of i64: the nearest that fits is written",
                self.tray.run_name
            );
        }
    }

    pub(super) fn count_replaced_wall_time(&self) {
        if self
            .replaced_wall_time_count
            .fetch_add(1, Ordering::Relaxed)
            == 0
        {
            log::warn!(
                "{}a wall time is not finite: the time of the call is written",
                self.tray.run_name
            );
        }
    }

    pub(super) fn count_oversized_mesh(&self) {
        if self.oversized_mesh_count.fetch_add(1, Ordering::Relaxed) == 0 {
            log::warn!(
                "{}a mesh is larger than stock TensorBoard can be relied on to show: it draws faces of 65535 vertices, and \
                 serves 100 steps of 2.5 MiB; it is written all the same",
                self.tray.run_name
            );
        }
    }
}
