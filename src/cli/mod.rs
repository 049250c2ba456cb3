//! The command line: one file for each subcommand. What goes wrong is one line on stderr, another on what to do, and an
//! exit code that says what kind of failure it is.

mod acts;
mod address;
mod ago;
mod api;
mod attach;
mod background;
mod capture;
mod condition;
mod doctor;
mod duration;
mod failure;
mod host;
mod joining;
mod layout;
mod ls;
mod new;
mod node;
mod node_token;
mod nodes;
mod paper;
mod paste;
mod progress;
mod reach;
mod relocate;
mod rename;
mod resize;
mod roster_table;
mod run;
mod send;
mod serve;
mod settings;
mod shell_integration;
mod shutdown;
mod signals;
mod split;
mod table;
mod target;
mod token;
mod told;
mod verb;
mod viewers;
mod wait;
mod watch;
mod what_runs;
mod whereabouts;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{ArgAction, CommandFactory, Parser, Subcommand};
use tracing_subscriber::filter::{EnvFilter, LevelFilter};

use self::failure::Failure;
use self::verb::Verb;

const EXAMPLES: &str = "\
Examples:
  everpane                           start the gateway and print the address to open
  everpane serve --listen [::]:7433  the same, reachable from other machines
  everpane serve --help              what can be set
  everpane shutdown                  end the gateway and all shells
  everpane attach                    a pane in this terminal
  everpane node --gateway URL        host panes of that gateway on this machine
  everpane node-token create laptop  a token with which the machine `laptop` may join as a node
  everpane nodes --watch             which nodes there are, and what happens to them
  everpane new --name work           a session; prints the id of its pane, such as p1
  everpane split work -- htop        a pane beside it
  everpane send p1 make --enter --wait text=done
  everpane ls                        what there is

Environment:
  EVERPANE_TOKEN    the access token; without it one is made and kept in the data directory
  EVERPANE_GATEWAY  the gateway that commands talk to; without it the one on this machine
  EVERPANE_LOG      what is logged to stderr: error, warn, info, debug; or everpane::http=debug

Exit codes: 1 other, 2 usage, 3 not found, 4 refused, 5 timed out, 6 no gateway answers; docs/cli.md has more.";

/// The heading of the flags that every command has; they come last.
const COMMON: &str = "Common";

/// Terminal panes that outlive their shells, in the browser.
#[derive(Debug, Parser)]
#[command(name = "everpane", version, after_help = EXAMPLES, disable_help_flag = true)]
struct Cli {
    /// Say nothing on stderr but what goes wrong
    #[arg(short, long, global = true, help_heading = COMMON, display_order = 900)]
    quiet: bool,
    /// Print help
    #[arg(short, long, global = true, action = ArgAction::Help, help_heading = COMMON, display_order = 901)]
    help: Option<bool>,
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
    /// Show a pane in this terminal
    Attach(attach::Args),
    /// Show which nodes a gateway has
    Nodes(nodes::Args),
    /// Make, list and revoke the tokens with which nodes join
    NodeToken(node_token::Args),
    /// Show the sessions, tabs and panes
    #[command(visible_alias = "list")]
    Ls(ls::Args),
    /// See whether everything works here, and what to do where it does not
    Doctor(doctor::Args),
    /// Make a session, or a tab
    New(new::Args),
    /// Make a pane beside another
    Split(split::Args),
    /// Close a pane, a tab or a session
    Close(acts::Close),
    /// Name a pane, a tab or a session
    Rename(rename::Args),
    /// Make a pane, a tab or a session the active one
    Focus(acts::Focus),
    /// Move a pane to another tab, or a tab to another place
    Move(relocate::Args),
    /// Move a pane's edge, or decide who decides its size
    Resize(resize::Resize),
    /// Let a pane fill its tab, or not any more
    Zoom(resize::Zoom),
    /// Start a pane's program again
    Respawn(acts::Respawn),
    /// End a pane's program; the pane stays
    Kill(acts::Kill),
    /// Type into a pane: text and keys
    Send(send::Args),
    /// Paste into a pane
    Paste(paste::Args),
    /// Print what is on a pane's screen
    Capture(capture::Args),
    /// Wait until something is so in a pane
    Wait(wait::Args),
    /// Run a command in a pane: print its output, exit with its status
    Run(run::Args),
    /// Print what happens, as JSON lines
    Watch(watch::Args),
    /// Show who looks
    Viewers(viewers::Args),
    /// Print the gateway's token, or one for a session alone
    Token(token::Args),
    /// Check the config file, or say where it is
    Config(settings::Args),
    /// Print what makes a shell say where prompts and commands begin and end
    ShellIntegration(shell_integration::Args),
    /// Print the script with which a shell completes these commands
    Completions(paper::Completions),
    /// Print the manual, or write its pages
    Man(paper::Man),
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let Cli { command, quiet, .. } = Cli::parse();
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
    let on_gateway = |verb: &dyn Verb| verb::carry_out(verb, quiet);
    match command {
        Command::Serve(args) => serve::run(args)?,
        Command::Shutdown(args) => shutdown::run(args)?,
        Command::Host(args) => host::run(args)?,
        Command::Node(args) => node::run(&args)?,
        Command::Attach(args) => return attach::run(&args, quiet),
        Command::Nodes(args) => nodes::run(&args)?,
        Command::NodeToken(args) => node_token::run(&args)?,
        Command::Ls(verb) => return on_gateway(&verb),
        Command::New(verb) => return on_gateway(&verb),
        Command::Split(verb) => return on_gateway(&verb),
        Command::Close(verb) => return on_gateway(&verb),
        Command::Rename(verb) => return on_gateway(&verb),
        Command::Focus(verb) => return on_gateway(&verb),
        Command::Move(verb) => return on_gateway(&verb),
        Command::Resize(verb) => return on_gateway(&verb),
        Command::Zoom(verb) => return on_gateway(&verb),
        Command::Respawn(verb) => return on_gateway(&verb),
        Command::Kill(verb) => return on_gateway(&verb),
        Command::Send(verb) => return on_gateway(&verb),
        Command::Paste(verb) => return on_gateway(&verb),
        Command::Capture(verb) => return on_gateway(&verb),
        Command::Wait(verb) => return on_gateway(&verb),
        Command::Run(verb) => return on_gateway(&verb),
        Command::Watch(verb) => return on_gateway(&verb),
        Command::Viewers(verb) => return on_gateway(&verb),
        Command::Token(verb) => return on_gateway(&verb),
        Command::Doctor(args) => return doctor::run(&args, quiet),
        Command::Config(args) => settings::run(&args, quiet)?,
        Command::ShellIntegration(args) => shell_integration::run(&args)?,
        Command::Completions(args) => args.run(Cli::command())?,
        Command::Man(args) => args.run(Cli::command())?,
    }
    Ok(ExitCode::SUCCESS)
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
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    /// The commands that are for people.
    fn shown() -> Vec<clap::Command> {
        Cli::command().get_subcommands().filter(|command| !command.is_hide_set()).cloned().collect()
    }

    #[test]
    fn every_command_is_documented_with_examples() {
        let page = include_str!("../../docs/cli.md");
        for command in shown() {
            let row = format!("| `{}`", command.get_name());
            assert!(page.lines().any(|line| line.starts_with(&row)), "{row}");
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.starts_with("Examples:\n  "), "{}: {help}", command.get_name());
        }
    }

    /// A command and all below it, as far as they are for people.
    fn with_all_below(command: &clap::Command) -> Vec<clap::Command> {
        let below =
            command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help");
        [vec![command.clone()], below.flat_map(with_all_below).collect()].concat()
    }

    #[test]
    fn what_all_commands_take_comes_last_in_their_help() {
        let mut all = Cli::command();
        all.build();
        for mut command in with_all_below(&all) {
            let name = command.get_bin_name().unwrap_or_default().to_owned();
            let help = command.render_help().to_string();
            let (own, rest) = help.split_once(&format!("\n{COMMON}:\n")).expect(&name);
            let is_in = |text: &str, flag| {
                text.lines()
                    .any(|line| line.trim().split("  ").next().is_some_and(|names| names.ends_with(flag)))
            };
            assert!(is_in(rest, "--quiet") && is_in(rest, "--help"), "{name}\n{rest}");
            let early = ["--json", "--quiet", "--help"].map(|flag| is_in(own, flag));
            assert_eq!(early, [false; 3], "{name}\n{own}");
            assert!(!rest.contains("Options:") && !rest.contains("Gateway:"), "{name}: last\n{rest}");
        }
    }

    #[test]
    fn alone_it_serves() {
        assert!(Cli::parse_from(["everpane"]).command.is_none());
    }
}
