//! Contestants take turns on one thread; what counts is the processor time that each needed.

use cpu_time::ThreadTime;

/// Rounds; in each every contestant has its turn, so that a slow moment of the machine falls on all.
const ROUNDS: usize = 40;

/// Who contests, and what it does once.
pub(crate) type Contestant<'a> = (&'a str, Box<dyn FnMut() + 'a>);

/// Runs each `turn` times a round; prints the median of processor time, and gives it back in milliseconds.
pub(crate) fn contest<const N: usize>(title: &str, turn: u32, mut contestants: [Contestant<'_>; N]) -> [f64; N] {
    let mut times: [Vec<f64>; N] = std::array::from_fn(|_| Vec::with_capacity(ROUNDS));
    // The first round warms caches and is not counted.
    for round in 0..=ROUNDS {
        for ((_, run), times) in contestants.iter_mut().zip(&mut times) {
            // The thread's own: the machine's other work does not count.
            let begin = ThreadTime::now();
            (0..turn).for_each(|_| run());
            let spent = begin.elapsed().as_secs_f64() * 1000.0 / f64::from(turn);
            if round > 0 {
                times.push(spent);
            }
        }
    }
    println!("{title}: processor time, median of {ROUNDS} rounds of {turn}");
    let medians = times.map(|mut times| {
        times.sort_unstable_by(f64::total_cmp);
        times[times.len() / 2]
    });
    for ((name, _), median) in contestants.iter().zip(&medians) {
        println!("  {name:<34} {median:>9.4} ms");
    }
    medians
}
