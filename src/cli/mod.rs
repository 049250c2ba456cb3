//! The command line: one file for each subcommand. What goes wrong is one line on stderr, another on what to do, and an
//! exit code that says what kind of failure it is.

mod address;
mod api;
mod dialling;
mod doctor;
mod failure;
mod host;
mod joining;
mod ls;
mod node;
mod node_token;
mod nodes;
mod reach;
mod roster_table;
mod serve;
mod shutdown;
mod signals;
mod table;
mod target;
mod told;
mod verb;
mod whereabouts;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::filter::{EnvFilter, LevelFilter};

use self::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  everpane                           start the gateway and print the address to open
  everpane serve --listen [::]:7433  the same, reachable from other machines
  everpane serve --help              what can be set
  everpane shutdown                  end the gateway and all shells
  everpane node --gateway URL        host panes of that gateway on this machine
  everpane node-token create laptop  a token with which the machine `laptop` may join as a node
  everpane nodes --watch             which nodes there are, and what happens to them

Environment:
  EVERPANE_TOKEN  the access token; without it one is made and kept in the data directory
  EVERPANE_LOG    what is logged to stderr: error, warn, info, debug; or everpane::http=debug";

/// Terminal panes that outlive their shells, in the browser.
#[derive(Debug, Parser)]
#[command(name = "everpane", version, after_help = EXAMPLES)]
struct Cli {
    /// Say nothing on stderr but what goes wrong
    #[arg(short, long, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the gateway (also what `everpane` alone does).
    Serve(serve::Args),
    /// End the gateway and all shells, also those that outlived it.
    Shutdown(shutdown::Args),
    #[command(hide = true)]
    Host(host::Args),
    /// Host panes of a gateway elsewhere on this machine.
    Node(node::Args),
    /// Show which nodes a gateway has
    Nodes(nodes::Args),
    /// Make, list and revoke the tokens with which nodes join
    NodeToken(node_token::Args),
    /// Show the sessions, tabs and panes
    #[command(visible_alias = "list")]
    Ls(ls::Args),
    /// See whether everything works here, and what to do where it does not
    Doctor(doctor::Args),
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let Cli { command, quiet } = Cli::parse();
    let command = command.unwrap_or(Command::Serve(serve::Args::default()));
    let level = match command {
        _ if quiet => LevelFilter::ERROR,
        // Nobody looks at a node's page: what it says is all there is to see.
        Command::Node(_) => LevelFilter::INFO,
        _ => LevelFilter::WARN,
    };
    let outcome = log_to_stderr(level).map_err(Failure::from).and_then(|()| carry_out(command, quiet));
    outcome.unwrap_or_else(|failure| {
        failure.tell();
        ExitCode::from(failure.code())
    })
}

fn carry_out(command: Command, quiet: bool) -> Result<ExitCode, Failure> {
    let outcome = match command {
        Command::Serve(args) => serve::run(args),
        Command::Shutdown(args) => shutdown::run(args),
        Command::Host(args) => host::run(args),
        Command::Node(args) => node::run(&args),
        Command::Nodes(args) => nodes::run(&args),
        Command::NodeToken(args) => node_token::run(&args),
        Command::Ls(args) => return verb::carry_out(&args, quiet),
        Command::Doctor(args) => return doctor::run(&args, quiet),
    };
    Ok(outcome.map(|()| ExitCode::SUCCESS)?)
}

fn log_to_stderr(level: LevelFilter) -> anyhow::Result<()> {
    let filter = EnvFilter::builder()
        .with_default_directive(level.into())
        .with_env_var("EVERPANE_LOG")
        .from_env()
        .map_err(|error| anyhow::anyhow!("EVERPANE_LOG: {error}"))?;
    // Colours are for people: in a file or a journal they are litter.
    let ansi =
        std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(ansi).with_writer(std::io::stderr).init();
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn alone_it_serves() {
        assert!(Cli::parse_from(["everpane"]).command.is_none());
    }
}
