//! Every target on its seeds, and on a fixed number of mutations of them: the same ones in each run.

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serval_fuzz::{TARGETS, Target};

const MUTATIONS: usize = 20_000;
/// Loading a configuration takes a thousand times as long as decoding a packet.
const SLOW_MUTATIONS: usize = 1_000;
const LONGEST: usize = 4_096;

fn replay(name: &str, mutations: usize) {
    let target = serval_fuzz::target(name).expect("a target of this name");
    let seeds = (target.seeds)();
    assert!(seeds.len() > 3, "{name} has seeds");
    for seed in &seeds {
        (target.check)(seed);
    }
    let mut random = StdRng::seed_from_u64(0x5e7a1);
    for _ in 0..mutations {
        let mut input = pick(&mut random, &seeds).to_vec();
        for _ in 0..random.random_range(1..6) {
            mutate(&mut random, &seeds, &mut input);
        }
        checked(target, &input);
    }
}

/// Runs the target; where it panics, says on what.
fn checked(target: &Target, input: &[u8]) {
    let outcome = std::panic::catch_unwind(|| (target.check)(input));
    assert!(
        outcome.is_ok(),
        "{} panics on {input:02x?}, which is {:?}",
        target.name,
        String::from_utf8_lossy(input)
    );
}

fn pick<'a>(random: &mut StdRng, seeds: &'a [Vec<u8>]) -> &'a [u8] {
    &seeds[random.random_range(0..seeds.len())]
}

fn mutate(random: &mut StdRng, seeds: &[Vec<u8>], input: &mut Vec<u8>) {
    let place = random.random_range(0..=input.len());
    let end = random.random_range(place..=input.len().min(place + 16));
    match random.random_range(0..6) {
        0 => drop(input.drain(place..end)),
        1 => input.insert(place, random.random()),
        2 if place < input.len() => input[place] = random.random(),
        3 if place < input.len() => input[place] ^= 1 << random.random_range(0..8),
        4 => {
            let again: Vec<u8> = input[place..end].to_vec();
            drop(input.splice(place..place, again));
        }
        _ => {
            let other = pick(random, seeds);
            let from = random.random_range(0..=other.len());
            let to = random.random_range(from..=other.len().min(from + 40));
            drop(input.splice(place..end, other[from..to].iter().copied()));
        }
    }
    input.truncate(LONGEST);
}

#[test]
fn packets() {
    replay("packets", MUTATIONS);
}

#[test]
fn parameters() {
    replay("parameters", MUTATIONS);
}

#[test]
fn answers() {
    replay("answers", MUTATIONS);
}

#[test]
fn statements() {
    replay("statements", MUTATIONS);
}

#[test]
fn parser() {
    replay("parser", MUTATIONS);
}

#[test]
fn config() {
    replay("config", SLOW_MUTATIONS);
}

#[test]
fn every_target_is_replayed() {
    let here = include_str!("replay.rs");
    for target in TARGETS {
        assert!(here.contains(&format!("replay(\"{}\",", target.name)), "{} has no test", target.name);
    }
}
