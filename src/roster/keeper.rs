//! The roster's own tasks: one lets expire what is due, one writes the records down, one watches the tokens.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{sleep, sleep_until};

use super::Roster;
use super::records::Saved;
use super::state::State;
use super::token_file::TokenFile;
use super::tokens::NodeTokens;
use crate::clock::Moment;
use crate::node::Effects;

/// The shortest time between two writes of the records.
const WRITE_EVERY: Duration = Duration::from_secs(1);

/// How old what is written may be, while nothing happens but that nodes are heard.
const REWRITE_EVERY: Duration = Duration::from_secs(10);

/// How often the tokens are looked at: a revoked one is noticed within that.
const TOKENS_EVERY: Duration = Duration::from_secs(1);

impl Roster {
    /// Starts the tasks; the tokens are read before this returns.
    pub(super) fn look_after(&self, mut tokens: Option<TokenFile>) {
        if let Some(file) = &mut tokens {
            self.read_tokens(file);
        }
        let until_shutdown = || self.shared.shutdown.clone();
        tokio::spawn(until_shutdown().run_until_cancelled_owned(self.clone().expire()));
        tokio::spawn(until_shutdown().run_until_cancelled_owned(self.clone().keep_records()));
        if let Some(file) = tokens {
            tokio::spawn(until_shutdown().run_until_cancelled_owned(self.clone().watch_tokens(file)));
        }
    }

    async fn expire(self) {
        let mut changes = self.shared.changes.subscribe();
        loop {
            let next = self.state().registry.next_tick();
            let due = async {
                match next {
                    Some(at) => sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => {}
                // The roster holds the sender as long as this task runs.
                _ = changes.changed() => continue,
            }
            self.carry_out(|state| state.registry.tick(Moment::now()));
        }
    }

    async fn keep_records(self) {
        let mut changes = self.shared.changes.subscribe();
        let mut written = Saved::default();
        loop {
            let saved = self.state().saved(Moment::now());
            if saved != written {
                self.write(saved.clone()).await;
                written = saved;
            }
            sleep(WRITE_EVERY).await;
            let _ = tokio::time::timeout(REWRITE_EVERY, changes.changed()).await;
        }
    }

    /// Writes the records down.
    pub(super) async fn write(&self, saved: Saved) {
        let (records, turn) = (self.shared.records.clone(), self.shared.records.turn());
        // It fails only if it panics, or when the runtime ends.
        let _ = tokio::task::spawn_blocking(move || records.write(turn, &saved)).await;
    }

    async fn watch_tokens(self, mut file: TokenFile) {
        loop {
            sleep(TOKENS_EVERY).await;
            let roster = self.clone();
            let look = move || {
                roster.read_tokens(&mut file);
                file
            };
            // It fails only if it panics, or when the runtime ends.
            let Ok(looked_at) = tokio::task::spawn_blocking(look).await else { return };
            file = looked_at;
        }
    }

    /// Takes over what the file has, if that is new. While it can't be read, what it had before is valid.
    fn read_tokens(&self, file: &mut TokenFile) {
        match file.news() {
            Ok(None) => {}
            Ok(Some(tokens)) => self.carry_out(|state| replace_tokens(state, tokens)),
            Err(error) => tracing::warn!("node tokens are as they were before: {error}"),
        }
    }
}

/// Whoever came with a token that is not there any more goes, also who was known before a restart.
fn replace_tokens(state: &mut State, tokens: NodeTokens) -> Effects {
    let now = Moment::now();
    let before = std::mem::replace(&mut state.tokens, tokens);
    let owners = state.registry.saved(now).into_iter().filter_map(|node| node.owner);
    let mut revoked: BTreeSet<_> = owners.filter(|token| !state.tokens.has(*token)).collect();
    revoked.extend(before.gone_in(&state.tokens));
    revoked.extend(state.bindings.tokens().filter(|token| !state.tokens.has(*token)));
    revoked.iter().for_each(|token| state.bindings.free(*token));
    revoked.into_iter().flat_map(|token| state.registry.revoke(token, now)).collect()
}
