//! Shared code of the benches: measuring, comparing with a floor, and fast checksums for the floor. A floor is a
//! hand-written loop that does the same work without a library.

#![allow(dead_code, reason = "each bench uses a part")]

use std::time::{Duration, Instant};

/// The time of some work, until the operating system has its last byte. `cpu` is the time of all threads.
#[derive(Clone, Copy)]
pub struct Cost {
    pub wall: Duration,
    pub cpu: Duration,
}

pub fn measure(work: impl FnOnce()) -> Cost {
    measure_cpu(work, process_time)
}

/// Like [`measure`], but `cpu` is the time of the calling thread.
pub fn measure_thread(work: impl FnOnce()) -> Cost {
    measure_cpu(work, thread_time)
}

fn measure_cpu(work: impl FnOnce(), cpu_time: fn() -> Duration) -> Cost {
    let (wall, cpu) = (Instant::now(), cpu_time());
    work();
    Cost {
        wall: wall.elapsed(),
        cpu: cpu_time().saturating_sub(cpu),
    }
}

/// User and system time of all threads of this process.
#[cfg(unix)]
fn process_time() -> Duration {
    cpu_time(rustix::time::ClockId::ProcessCPUTime)
}

/// User and system time of the calling thread.
#[cfg(unix)]
fn thread_time() -> Duration {
    cpu_time(rustix::time::ClockId::ThreadCPUTime)
}

#[cfg(unix)]
fn cpu_time(clock: rustix::time::ClockId) -> Duration {
    let time = rustix::time::clock_gettime(clock);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

/// Other systems are not supported: the CPU ratio is then not a number.
#[cfg(not(unix))]
fn process_time() -> Duration {
    Duration::ZERO
}

#[cfg(not(unix))]
fn thread_time() -> Duration {
    Duration::ZERO
}

/// The median times of the floor and of this crate, in seconds, and the median ratios.
///
/// Each round runs both, one after the other, and has a ratio. If the machine is slow for a while, it is slow for both.
pub struct Comparison {
    pub floor: f64,
    pub ours: f64,
    pub wall_ratio: f64,
    pub cpu_ratio: f64,
}

pub fn compare(
    rounds: usize,
    mut floor: impl FnMut() -> Cost,
    mut ours: impl FnMut() -> Cost,
) -> Comparison {
    let rounds: Vec<(Cost, Cost)> = (0..=rounds).map(|_| (floor(), ours())).skip(1).collect();
    let of = |figure: fn(&(Cost, Cost)) -> f64| median(rounds.iter().map(figure).collect());
    Comparison {
        floor: of(|(floor, _)| floor.wall.as_secs_f64()),
        ours: of(|(_, ours)| ours.wall.as_secs_f64()),
        wall_ratio: of(|(floor, ours)| ours.wall.as_secs_f64() / floor.wall.as_secs_f64()),
        cpu_ratio: of(|(floor, ours)| ours.cpu.as_secs_f64() / floor.cpu.as_secs_f64()),
    }
}

pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// CRC-32C with the instruction of the processor, in one chain.
pub mod crc {
    /// Calls `work` in a function that is compiled with SSE4.2, so that [`masked`] is inlined as the bare instruction.
    #[cfg(target_arch = "x86_64")]
    pub fn with_instruction(work: impl FnOnce()) {
        #[target_feature(enable = "sse4.2")]
        fn inner(work: impl FnOnce()) {
            work();
        }
        assert!(
            is_x86_feature_detected!("sse4.2"),
            "the floor needs a processor with SSE4.2"
        );
        #[allow(
            unsafe_code,
            reason = "the line before checks that the instruction exists"
        )]
        // SAFETY: `inner` needs SSE4.2 and nothing else.
        unsafe {
            inner(work);
        }
    }

    /// The masked CRC-32C of `bytes`.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    #[allow(unsafe_code, reason = "called inside `with_instruction` only")]
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the upper half of the register is zero"
    )]
    pub fn masked(bytes: &[u8]) -> u32 {
        use std::arch::x86_64::{_mm_crc32_u8, _mm_crc32_u64};
        let (words, rest) = bytes.as_chunks::<8>();
        let mut crc = u64::from(!0u32);
        for word in words {
            // SAFETY: SSE4.2 is there.
            crc = unsafe { _mm_crc32_u64(crc, u64::from_le_bytes(*word)) };
        }
        let mut crc = crc as u32;
        for byte in rest {
            // SAFETY: SSE4.2 is there.
            crc = unsafe { _mm_crc32_u8(crc, *byte) };
        }
        mask(!crc)
    }

    #[cfg(not(target_arch = "x86_64"))]
    pub fn with_instruction(work: impl FnOnce()) {
        work();
    }

    #[cfg(not(target_arch = "x86_64"))]
    pub fn masked(bytes: &[u8]) -> u32 {
        mask(crc32c::crc32c(bytes))
    }

    fn mask(crc: u32) -> u32 {
        crc.rotate_right(15).wrapping_add(0xa282_ead8)
    }
}
