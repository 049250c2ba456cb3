//! What the gateway costs, beside what nothing and the least possible would cost: a table of its screens' ratios to
//! other models of a terminal, one of ratios to the raw PTY, a bare relay and, where it is installed, tmux, and one of
//! what it adds that PTYs are elsewhere, all measured in turns in one run. `cargo bench -- --help` says what can be chosen.
//!
//! Linux only: processor time and memory are read from `/proc`.

mod support;

use std::process::ExitCode;

use support::measure::{self, Scale};
use support::{machine, models, program, relay};

const HELP: &str = "\
usage: cargo bench -- [--quick] [--baselines] [NAME ...]

  --quick       smaller sizes and fewer rounds: minutes become seconds, and figures less certain
  --baselines   the raw PTY and the bare relay only
  NAME          only measurements whose name contains this; of screens alone: parse, scrollback, snapshot;
                of servers: throughput, echo, manners, attach, fan-out, stalled, memory, idle, respawn, layout,
                command-line;
                of PTYs elsewhere: nodes, wake, registry";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match args.first().map(String::as_str) {
        Some(program::ROLE) => program::run(),
        Some(relay::ROLE) => relay::run(&args[1..]),
        Some(models::ROLE) => models::run(&args[1..]),
        _ => benchmark(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn benchmark(args: &[String]) -> anyhow::Result<()> {
    let is = |name: &str| args.iter().any(|arg| arg == name);
    if is("--help") {
        println!("{HELP}");
        return Ok(());
    }
    if !is("--bench") || is("--test") {
        println!("measures nothing as a test; run `cargo bench`");
        return Ok(());
    }
    let filters: Vec<&str> = args.iter().map(String::as_str).filter(|arg| !arg.starts_with("--")).collect();
    let scale = Scale { quick: is("--quick"), baselines: is("--baselines") };
    let tables = measure::run(&filters, scale)?;
    println!("{}", machine::description());
    tables.iter().filter(|table| !table.rows.is_empty()).for_each(|table| println!("\n{table}"));
    Ok(())
}
