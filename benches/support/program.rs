//! The program in every PTY, in place of a shell: it does what a line of input tells it to, so that all
//! contenders are made to do the same in the same way.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

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

/// Makes it print so many lines of a log.
pub(crate) fn lines(count: u64) -> String {
    format!("lines {count}\n")
}

/// Makes it print what a shell's screen shows.
pub(crate) const SHELL: &str = "shell\n";

/// Makes it write a number of blocks of the mix, with stamps in them.
pub(crate) fn stamped_flood(blocks: u64) -> String {
    format!("stamped {blocks}\n")
}

/// What comes before the time in a stamp.
pub(crate) const STAMP: &str = "stamp ";

/// How many digits a stamp's time has: nanoseconds since the Unix epoch.
pub(crate) const STAMP_DIGITS: usize = 20;

/// After how much output the next stamp comes, in bytes, or somewhat more.
const BETWEEN_STAMPS: usize = 16 << 10;

/// Makes it run `yes` until that is interrupted.
pub(crate) const YES: &str = "yes\n";

/// What it prints when told to say that it is done, and after `yes`.
pub(crate) const DONE: &str = "program-done";

/// Makes it say that it is done.
pub(crate) const SAY_DONE: &str = "say\n";

/// Now, as a stamp says it.
pub(crate) fn stamp_now() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_nanos() as u64)
}

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
        if block.is_empty() && ["load", "flood", "stamped"].iter().any(|name| command.starts_with(name)) {
            block = mix::block();
        }
        match command.split_once(' ').unwrap_or((command, "")) {
            ("load", _) => ready(&mut output)?,
            ("flood", blocks) => {
                for _ in 0..blocks.parse().unwrap_or(u64::MAX) {
                    output.write_all(block.as_bytes())?;
                }
            }
            ("stamped", blocks) => {
                for _ in 0..blocks.parse().unwrap_or(u64::MAX) {
                    stamped_block(&block, &mut output)?;
                }
            }
            ("lines", count) => {
                output.write_all(mix::log_lines(count.parse()?).as_bytes())?;
                done(&mut output)?;
            }
            ("shell", _) => {
                output.write_all(mix::shell_screen().as_bytes())?;
                done(&mut output)?;
            }
            ("yes", _) => {
                yes()?;
                done(&mut output)?;
            }
            ("say", _) => done(&mut output)?,
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

fn done(output: &mut File) -> Result<()> {
    output.write_all(format!("{DONE}\n").as_bytes()).context("printing")
}

fn stamped_block(block: &str, output: &mut File) -> Result<()> {
    let mut piece = String::with_capacity(2 * BETWEEN_STAMPS);
    for line in block.split_inclusive('\n') {
        if piece.is_empty() {
            let _ = writeln!(piece, "{STAMP}{:0STAMP_DIGITS$}", stamp_now());
        }
        piece.push_str(line);
        if piece.len() >= BETWEEN_STAMPS {
            output.write_all(piece.as_bytes())?;
            piece.clear();
        }
    }
    Ok(output.write_all(piece.as_bytes())?)
}

/// Runs `yes` until it is interrupted, and is not itself.
fn yes() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _guard = runtime.enter();
    // From here on the signal does nothing here; what is executed begins with what it does by default.
    let _interrupts = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    std::process::Command::new("yes").status()?;
    Ok(())
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
