//! What a new pane runs, and where.

use std::path::{Path, PathBuf, absolute};

use super::api::Api;
use super::failure::Failure;

/// What commands that make panes can be told about them.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct WhatRuns {
    /// The node that it runs on [default: the session's]
    #[arg(long)]
    pub(super) node: Option<String>,
    /// The directory that it starts in [default: that of the pane beside it]
    #[arg(short, long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    /// A program with its arguments [default: a shell]
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl WhatRuns {
    /// The directory as the gateway wants it. What is relative is so to where we are, if the pane is on our machine.
    pub(super) fn cwd(&self, api: &Api) -> Result<Option<String>, Failure> {
        let ours = api.destination().local && self.node.is_none();
        let text = |path: &Path| path.to_string_lossy().into_owned();
        match &self.cwd {
            Some(dir) if ours => Ok(Some(text(&absolute(dir)?))),
            dir => Ok(dir.as_deref().map(text)),
        }
    }

    /// The program, if one is named.
    pub(super) fn command(&self) -> Option<Vec<String>> {
        Some(self.command.clone()).filter(|command| !command.is_empty())
    }
}
