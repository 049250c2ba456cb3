//! `everpane shell-integration`: prints what makes a shell say where prompts and commands begin and end (OSC 133), in
//! which directory it is (OSC 7), and what it runs (OSC 633). Waits for prompts and `everpane run` need it.

use std::io::Write;

/// Arguments of `everpane shell-integration`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell that reads it
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    fn snippet(self) -> &'static str {
        match self {
            Shell::Bash => include_str!("shell_integration/bash.sh"),
            Shell::Zsh => include_str!("shell_integration/zsh.zsh"),
            Shell::Fish => include_str!("shell_integration/fish.fish"),
        }
    }
}

/// Prints the snippet.
pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    Ok(std::io::stdout().write_all(args.shell.snippet().as_bytes())?)
}
