//! What all commands that talk to a gateway over `/api/v1` have in common.

use std::io::{self, Write};
use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;

use super::COMMON;
use super::api::Api;
use super::failure::{Failure, Kind};
use super::reach::Reach;
use crate::protocol::api::API_VERSION;

/// What each can be told.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Common {
    #[command(flatten)]
    pub(super) reach: Reach,
    /// Print JSON; a failure is JSON as well, on stderr
    #[arg(long, help_heading = COMMON, display_order = 899)]
    pub(super) json: bool,
}

/// How to tell what was done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// For programs.
    pub(super) json: bool,
    /// No words on stderr but of failures.
    pub(super) quiet: bool,
}

/// A command that talks to a gateway.
pub(super) trait Verb {
    /// What it was told that all are told.
    fn common(&self) -> &Common;

    /// The exit code of all failures, if they share one.
    fn failure_code(&self) -> Option<u8> {
        None
    }

    /// Does it.
    fn run(&self, api: &Api, manner: Manner) -> Result<ExitCode, Failure>;
}

/// Finds the gateway and does what is asked there.
pub(super) fn carry_out(verb: &dyn Verb, quiet: bool) -> Result<ExitCode, Failure> {
    let json = verb.common().json;
    let gateway = verb.common().reach.find();
    let outcome = gateway.and_then(|gateway| verb.run(&Api::new(gateway), Manner { json, quiet }));
    outcome.map_err(|failure| match verb.failure_code() {
        Some(code) => failure.in_json(json).exiting(code),
        None => failure.in_json(json),
    })
}

impl Manner {
    /// Says something that is neither data nor a failure. Nobody listening is no reason to fail.
    pub(super) fn say(self, words: &str) {
        if !self.quiet {
            let _ = writeln!(io::stderr(), "everpane: {words}");
        }
    }

    /// Prints `value` as a line of JSON if programs are told, else what `words` makes of it.
    pub(super) fn show<T: Serialize>(
        self,
        value: &T,
        words: impl FnOnce(&T) -> String,
    ) -> Result<ExitCode, Failure> {
        let text = match self.json {
            true => versioned(value).map(|json| format!("{json}\n")),
            false => Ok(words(value)),
        };
        print(text.map_err(|error| Failure::new(Kind::Other, error.to_string()))?.as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }
}

/// `value` as JSON. Every object says which version of the shapes it is of, also where the API has that in its path.
fn versioned(value: &impl Serialize) -> serde_json::Result<Value> {
    let mut json = serde_json::to_value(value)?;
    if let Some(fields) = json.as_object_mut() {
        fields.entry("apiVersion").or_insert(API_VERSION.into());
    }
    Ok(json)
}

/// Prints data on stdout.
pub(super) fn print(data: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    Ok(stdout.write_all(data).and_then(|()| stdout.flush())?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::api::{Made, ViewerList};

    #[test]
    fn every_object_says_its_version() {
        assert_eq!(versioned(&Made::default()).unwrap(), json!({ "apiVersion": API_VERSION }));
        let list = ViewerList { api_version: 7, viewers: Vec::new() };
        assert_eq!(versioned(&list).unwrap()["apiVersion"], 7, "what says it already is left alone");
    }
}
