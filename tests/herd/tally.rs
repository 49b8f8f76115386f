//! How many attempts there were when, and whether that is within the bounds.

use crate::client::{Client, Life};
use crate::plan::{BACK, Course, Plan, Population};
use crate::random::Random;
use stanzawire::session::ReconnectPolicy;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Attempts are counted by hundredths of a second.
const GRAIN: u64 = 10;

/// What is counted as one second, wherever it begins.
const SECOND: usize = 100;

/// How many clients may try in any one second, in thousandths of them: at any time, and once the server is back.
pub const BOUNDS: [u64; 2] = [300, 50];

/// What many lives come to.
#[derive(Clone, Debug)]
pub struct Tally {
    pub clients: u64,
    pub in_use: u64,
    /// The attempts of each hundredth of a second since the loss.
    attempts: Vec<u64>,
    /// How many clients were back in the end, and when the last of them was, in milliseconds from the server's return.
    back: u64,
    last: u64,
    /// When the server came back, for good, in milliseconds from the loss.
    returned: u64,
    /// From when to when it is there again, in milliseconds from the loss.
    up: Vec<(u64, u64)>,
}

impl Tally {
    /// Lets so many clients live. The same seed gives the same lives, however many cores there are.
    pub fn of(population: Population, course: Course, clients: u64, seed: u64, policy: ReconnectPolicy) -> Tally {
        let plan = Plan::new(population, course);
        let next = AtomicU64::new(0);
        let sum = Mutex::new(Tally::new(&plan));
        let jobs = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..jobs {
                scope.spawn(|| {
                    let mut own = Tally::new(&plan);
                    loop {
                        let number = next.fetch_add(1, Relaxed);
                        if number >= clients {
                            break;
                        }
                        let random = Random::new(Random::new(seed).next().wrapping_add(number));
                        own.add(&Client::new(&plan, policy, random).live());
                    }
                    sum.lock().unwrap().merge(&own);
                });
            }
        });
        sum.into_inner().unwrap()
    }

    fn new(plan: &Plan) -> Tally {
        Tally {
            clients: 0,
            in_use: 0,
            attempts: vec![0; ((plan.end - plan.loss()) / GRAIN + 1) as usize],
            back: 0,
            last: 0,
            returned: plan.return_after(),
            up: plan.up_again(),
        }
    }

    fn add(&mut self, life: &Life) {
        self.clients += 1;
        self.in_use += u64::from(life.in_use);
        for at in &life.attempts {
            self.attempts[(at / GRAIN) as usize] += 1;
        }
        if let Some(back) = life.back {
            self.back += 1;
            self.last = self.last.max(back.saturating_sub(self.returned));
        }
    }

    fn merge(&mut self, other: &Tally) {
        self.clients += other.clients;
        self.in_use += other.in_use;
        self.back += other.back;
        self.last = self.last.max(other.last);
        for (sum, more) in self.attempts.iter_mut().zip(&other.attempts) {
            *sum += more;
        }
    }

    /// The most attempts in any second, in thousandths of the clients.
    fn most(&self) -> f64 {
        self.most_of(&self.attempts)
    }

    /// The same for the time that the server is back.
    fn most_back(&self) -> f64 {
        let up = self.up.iter().map(|(from, to)| {
            let [from, to] = [*from, *to].map(|at| (at / GRAIN) as usize);
            self.most_of(&self.attempts[from..to.min(self.attempts.len())])
        });
        up.fold(0.0, f64::max)
    }

    fn most_of(&self, attempts: &[u64]) -> f64 {
        let most = attempts.windows(SECOND).map(|second| second.iter().sum::<u64>()).max();
        self.share(most.unwrap_or_default())
    }

    fn share(&self, count: u64) -> f64 {
        count as f64 * 1_000.0 / self.clients as f64
    }

    /// The attempts of each second since the loss.
    pub fn seconds(&self) -> impl Iterator<Item = u64> {
        self.attempts.chunks(SECOND).map(|second| second.iter().sum())
    }

    /// Which bounds are broken, by more than so many standard deviations of what chance makes of few clients.
    pub fn broken(&self, deviations: f64) -> Vec<String> {
        let mut broken = Vec::new();
        let [ever, after] = BOUNDS.map(|bound| {
            let share = bound as f64 / 1_000.0;
            (share + deviations * (share * (1.0 - share) / self.clients as f64).sqrt()) * 1_000.0
        });
        if self.most() > ever {
            broken.push(format!("{:.1} % of the clients in a second", self.most() / 10.0));
        }
        if self.most_back() > after {
            broken.push(format!("{:.1} % with the server back", self.most_back() / 10.0));
        }
        if self.back < self.clients {
            broken.push(format!(
                "{} not back within {} s",
                self.clients - self.back,
                BACK / 1_000
            ));
        }
        broken
    }

    /// One line of the table.
    pub fn row(&self) -> String {
        let attempts: u64 = self.attempts.iter().sum();
        format!(
            "{:>6.1} % {:>9.1} % {:>9.1} % {:>9.1} s {:>9.1}",
            self.share(self.in_use) / 10.0,
            self.most() / 10.0,
            self.most_back() / 10.0,
            self.last as f64 / 1_000.0,
            attempts as f64 / self.clients as f64
        )
    }

    /// Its heading.
    pub const HEAD: &str = "in use    at most  once back  last back  attempts";
}
