//! How fast the interpreter is: instructions a second in a loop, and transactions a second that take a deposit.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::cast_precision_loss)]

#[path = "../tests/world/mod.rs"]
mod world;

use std::time::Instant;

use daas_move_vm::{Limits, Passing, Session, Value};
use world::{World, address, bcs, call, context, context_argument, tag};

fn main() {
    let world = World::new();
    let limits = Limits { steps: u64::MAX, ..Limits::default() };
    let mut session = world.session_with(limits);
    let start = Instant::now();
    call(&mut session, "numbers", "sum_to", &[], vec![Value::u64(1_000_000)]).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    println!("{:.1} million instructions a second", session.steps_used() as f64 / seconds / 1e6);

    let count = 2_000_u32;
    let start = Instant::now();
    let mut steps = 0;
    for number in 0..count {
        let mut session = Session::new(&world, &world, context(number as u8), Limits::default());
        steps = deposit(&mut session);
        session.finish().unwrap();
    }
    println!("{:.0} deposits a second ({steps} steps each)", f64::from(count) / start.elapsed().as_secs_f64());
}

fn deposit(session: &mut Session<'_>) -> u64 {
    let context = context_argument(session);
    let bank = call(session, "bank", "open", &[], vec![Value::bytes(b"bank".to_vec()), context]).unwrap().remove(0);
    let bank = session.hold(bank).unwrap();
    let coin = session.decode(&tag("0x2::coin::Coin<0x2::sui::SUI>"), &bcs(&(address(0x77), 5_u64))).unwrap();
    let clock = session.decode(&tag("0x2::clock::Clock"), &bcs(&(address(6), 42_u64))).unwrap();
    let clock = session.hold(clock).unwrap();
    let arguments = vec![
        session.lend(bank, Passing::MutableReference).unwrap(),
        coin,
        session.lend(clock, Passing::Reference).unwrap(),
        context_argument(session),
    ];
    let receipt = call(session, "bank", "deposit", &[], arguments).unwrap().remove(0);
    let context = session.tx_context(Passing::Reference).unwrap();
    call(session, "bank", "keep", &[], vec![receipt, context]).unwrap();
    let bank = session.take(bank).unwrap();
    call(session, "bank", "share", &[], vec![bank]).unwrap();
    session.steps_used()
}
