//! The command line: one file for each subcommand. What goes wrong is one line on stderr and exit code 1.

mod address;
mod host;
mod joining;
mod layout;
mod node;
mod node_token;
mod nodes;
mod roster_table;
mod serve;
mod shutdown;
mod signals;
mod whereabouts;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::filter::{EnvFilter, LevelFilter};

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
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let command = Cli::parse().command.unwrap_or(Command::Serve(serve::Args::default()));
    let level = match command {
        // Nobody looks at a node's page: what it says is all there is to see.
        Command::Node(_) => LevelFilter::INFO,
        _ => LevelFilter::WARN,
    };
    let outcome = log_to_stderr(level).and_then(|()| match command {
        Command::Serve(args) => serve::run(args),
        Command::Shutdown(args) => shutdown::run(args),
        Command::Host(args) => host::run(args),
        Command::Node(args) => node::run(&args),
        Command::Nodes(args) => nodes::run(&args),
        Command::NodeToken(args) => node_token::run(&args),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line whatever the causes hold, for whoever reads it in a log.
            let causes = format!("{error:#}");
            eprintln!("everpane: {}", causes.split_whitespace().collect::<Vec<_>>().join(" "));
            ExitCode::FAILURE
        }
    }
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
