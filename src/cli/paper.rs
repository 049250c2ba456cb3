//! `everpane completions` and `everpane man`: what shells and manuals know of the commands, from the commands themselves.

use std::path::{Path, PathBuf};
use std::{fs, io};

use clap_complete::Shell;

use super::failure::{Failure, Kind};
use super::verb::print;

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  everpane completions bash > ~/.local/share/bash-completion/completions/everpane
  everpane completions zsh > ~/.zfunc/_everpane
  everpane completions fish > ~/.config/fish/completions/everpane.fish";

const MAN_EXAMPLES: &str = "\
Examples:
  everpane man | man -l -
      The page of everpane itself.
  everpane man --dir ~/.local/share/man/man1
      A page for each command.";

/// What `completions` can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub(super) struct Completions {
    /// For which shell
    shell: Shell,
}

/// What `man` can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = MAN_EXAMPLES)]
pub(super) struct Man {
    /// Write all pages into this directory
    #[arg(long)]
    dir: Option<PathBuf>,
}

impl Completions {
    /// Prints the script that completes `tree`.
    pub(super) fn run(&self, mut tree: clap::Command) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut tree, "everpane", &mut script);
        print(&script)
    }
}

impl Man {
    /// Prints the page of `tree`, or writes that and those of its commands.
    pub(super) fn run(&self, tree: clap::Command) -> Result<(), Failure> {
        match &self.dir {
            Some(dir) => {
                let about = |error| Failure::new(Kind::Other, format!("{}: {error}", dir.display()));
                fs::create_dir_all(dir).map_err(about)?;
                let mut tree = tree.disable_help_subcommand(true);
                tree.build();
                write_pages(&tree, dir).map_err(about)
            }
            None => print(page(&clap_mangen::Man::new(tree))?.as_bytes()),
        }
    }
}

/// Writes the page of `command`, and those of all below it.
fn write_pages(command: &clap::Command, dir: &Path) -> io::Result<()> {
    let man = clap_mangen::Man::new(command.clone());
    fs::write(dir.join(man.get_filename()), page(&man)?)?;
    command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
        .try_for_each(|below| write_pages(below, dir))
}

/// A page. What stands below a help text begins with examples: they get a section of that name, in which neither
/// wider gaps nor hyphens come into what is to be typed.
fn page(man: &clap_mangen::Man) -> io::Result<String> {
    let mut page = Vec::new();
    man.render(&mut page)?;
    let page = String::from_utf8_lossy(&page);
    Ok(page.replace("\n.SH EXTRA\nExamples:\n", "\n.SH EXAMPLES\n.ad l\n.nh\n"))
}
