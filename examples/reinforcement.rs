//! Learns to cross a grid by reinforcement, in four environments at once, and logs their episodes. Tabular Q-learning, without
//! a framework.
//!
//!     cargo run --example reinforcement [LOGDIR]
//!     tensorboard --logdir LOGDIR
//!
//! The default of `LOGDIR` is `logs/reinforcement`. Each start writes new runs there.

#![allow(clippy::print_stdout, reason = "a program")]

use std::env;
use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use summary_writer::{HParams, SummaryWriter, unique_logdir};

const ENVIRONMENTS: u64 = 4;
/// The episodes of each environment.
const EPISODES: u64 = 500;
const MAX_STEPS: u32 = 100;
const LEARNING_RATE: f64 = 0.2;
const DISCOUNT: f64 = 0.97;
/// The share of random moves falls from 1 to this.
const LEAST_EXPLORATION: f64 = 0.05;

fn main() -> Result<(), Box<dyn Error>> {
    let logs = env::args_os().nth(1);
    let logs = logs.map_or_else(|| PathBuf::from("logs/reinforcement"), PathBuf::from);
    let summary = SummaryWriter::create_file_writer(unique_logdir(&logs)?)?;
    summary.hparams(
        HParams::new()
            .set("environments", ENVIRONMENTS)
            .set("learning_rate", LEARNING_RATE)
            .set("discount", DISCOUNT),
    );

    let agent = Mutex::new(Agent::new());
    // The steps of all environments. An agent that shares its values learns from all of them.
    let total_steps = AtomicU64::new(0);
    thread::scope(|threads| {
        for number in 0..ENVIRONMENTS {
            // A run for each environment: one thread logs each tag, so that its steps rise, and all share the charts.
            let run = summary.run(format!("environment-{number}"))?;
            let (agent, total_steps) = (&agent, &total_steps);
            threads.spawn(move || {
                let mut random = fastrand::Rng::with_seed(number);
                for episode in 0..EPISODES {
                    let exploration = exploration(episode);
                    let (total, length) = play(agent, exploration, &mut random);
                    let all = total_steps.fetch_add(length.into(), Ordering::Relaxed);
                    run.scalars(
                        episode,
                        [
                            ("episode/return", total),
                            ("episode/length", length.into()),
                            ("episode/exploration_rate", exploration),
                            ("episode/total_steps", all as f64),
                        ],
                    );
                    if episode % 50 == 49 && number == 0 {
                        run.histogram("action_values", lock(agent).values(), episode);
                    }
                }
            });
        }
        Ok::<(), summary_writer::Error>(())
    })?;
    summary.close()?;
    println!("Look at it: tensorboard --logdir {}", logs.display());
    Ok(())
}

/// Falls during the first half of the episodes.
fn exploration(episode: u64) -> f64 {
    let half = (EPISODES / 2) as f64;
    (1.0 - episode as f64 / half).max(LEAST_EXPLORATION)
}

/// Plays an episode. Returns the sum of the rewards, and the number of steps.
fn play(agent: &Mutex<Agent>, exploration: f64, random: &mut fastrand::Rng) -> (f64, u32) {
    let (mut place, mut total) = (START, 0.0);
    for step in 1..=MAX_STEPS {
        let mut agent = lock(agent);
        let action = match random.f64() < exploration {
            true => random.usize(..MOVES.len()),
            false => agent.best_action(place),
        };
        let (next, reward, is_end) = act(place, action);
        agent.learn(place, action, reward, next, is_end);
        total += reward;
        if is_end {
            return (total, step);
        }
        place = next;
    }
    (total, MAX_STEPS)
}

fn lock(agent: &Mutex<Agent>) -> std::sync::MutexGuard<'_, Agent> {
    agent.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A row and a column.
type Place = (usize, usize);

/// `#` is a wall, `o` a hole, `G` the goal.
const GRID: [&[u8; 6]; 6] = [
    b".....o", b".##...", b"..o.#.", b".#..#.", b".#.o..", b"...#.G",
];
const START: Place = (0, 0);
/// Up, right, down, left.
const MOVES: [(isize, isize); 4] = [(-1, 0), (0, 1), (1, 0), (0, -1)];

/// Returns the next place, the reward, and whether the episode ends there.
fn act((row, column): Place, action: usize) -> (Place, f64, bool) {
    let (down, right) = MOVES[action];
    let place = row
        .checked_add_signed(down)
        .zip(column.checked_add_signed(right));
    let cell = place.and_then(|(row, column)| GRID.get(row)?.get(column));
    match (place, cell) {
        (Some(place), Some(b'G')) => (place, 1.0, true),
        (Some(place), Some(b'o')) => (place, -1.0, true),
        (Some(place), Some(b'.')) => (place, -0.01, false),
        // A wall or the border.
        _ => ((row, column), -0.01, false),
    }
}

/// The expected return of each action at each place.
struct Agent([[[f64; MOVES.len()]; 6]; 6]);

impl Agent {
    fn new() -> Self {
        Self([[[0.0; MOVES.len()]; 6]; 6])
    }

    fn best_action(&self, (row, column): Place) -> usize {
        let values = self.0[row][column];
        (1..values.len()).fold(0, |best, action| match values[action] > values[best] {
            true => action,
            false => best,
        })
    }

    fn learn(&mut self, place: Place, action: usize, reward: f64, next: Place, is_end: bool) {
        let later = match is_end {
            true => 0.0,
            false => DISCOUNT * self.0[next.0][next.1][self.best_action(next)],
        };
        let value = &mut self.0[place.0][place.1][action];
        *value += LEARNING_RATE * (reward + later - *value);
    }

    fn values(&self) -> &[f64] {
        self.0.as_flattened().as_flattened()
    }
}
