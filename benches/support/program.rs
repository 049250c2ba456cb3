//! The program in every PTY, in place of a shell: it does what a line of input tells it to, so that all
//! contenders are made to do the same in the same way.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::termios::{self, LocalModes, OptionalActions};

use super::mix;

/// The first argument that makes the benchmark binary this program.
pub(crate) const ROLE: &str = "--act-as-program";

/// What it prints, followed by its process id: at its start, once it has loaded, and when it begins to echo.
pub(crate) const READY: &str = "program-ready ";

/// Makes it ready to write at once when told to flood.
pub(crate) const LOAD: &str = "load\n";

/// Makes it write a number of blocks of the mix.
pub(crate) fn flood(blocks: u64) -> String {
    format!("flood {blocks}\n")
}

/// Makes it write the mix until it is hung up.
pub(crate) const FLOOD_ON: &str = "flood on\n";

/// Makes it send every byte back until it is hung up.
pub(crate) const ECHO: &str = "echo\n";

/// An executable in `dir` that needs no arguments to be this program, as shells don't.
pub(crate) fn install(dir: &Path) -> Result<PathBuf> {
    let path = dir.join("program");
    let this = std::env::current_exe()?;
    std::fs::write(&path, format!("#!/bin/sh\nexec '{}' {ROLE}\n", this.display()))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

/// Its main function.
///
/// # Errors
/// When its terminal goes away.
pub(crate) fn run() -> Result<()> {
    let mut input = BufReader::new(File::from(std::io::stdin().as_fd().try_clone_to_owned()?));
    let mut output = File::from(std::io::stdout().as_fd().try_clone_to_owned()?);
    // As a line editor does it: input byte by byte and unechoed, output processed.
    let mut modes = termios::tcgetattr(input.get_ref())?;
    modes.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
    termios::tcsetattr(input.get_ref(), OptionalActions::Now, &modes)?;

    ready(&mut output)?;
    let (mut line, mut block) = (String::new(), String::new());
    while input.read_line(&mut line)? > 0 {
        let command = line.trim_end();
        if block.is_empty() && (command.starts_with("load") || command.starts_with("flood")) {
            block = mix::block();
        }
        match command.split_once(' ').unwrap_or((command, "")) {
            ("load", _) => ready(&mut output)?,
            ("flood", blocks) => {
                for _ in 0..blocks.parse().unwrap_or(u64::MAX) {
                    output.write_all(block.as_bytes())?;
                }
            }
            ("echo", _) => {
                ready(&mut output)?;
                echo(input.get_mut(), &mut output)?;
            }
            _ => {}
        }
        line.clear();
    }
    Ok(())
}

fn ready(output: &mut File) -> Result<()> {
    output.write_all(format!("{READY}{}\n", std::process::id()).as_bytes()).context("printing")
}

fn echo(input: &mut File, output: &mut File) -> Result<()> {
    let mut bytes = [0; 4096];
    loop {
        match input.read(&mut bytes)? {
            0 => return Ok(()),
            length => output.write_all(&bytes[..length])?,
        }
    }
}
