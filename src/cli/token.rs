//! `everpane token`: what lets others in.

use std::process::ExitCode;

use serde::Serialize;

use super::api::Api;
use super::failure::{Failure, Kind};
use super::verb::{Common, Manner, Verb};
use crate::http::SessionTokens;
use crate::protocol::api::{API_VERSION, TokenMade, TokenRequest};

const EXAMPLES: &str = "\
Examples:
  curl -H \"Authorization: Bearer $(everpane token)\" http://127.0.0.1:7433/api/v1/sessions
      The gateway's own token, which opens everything. Whoever has it has your shells.
  everpane token --session work
      One that reaches that session alone.";

/// What `token` can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// One that reaches this session alone
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// The token that we have ourselves, in JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Ours<'a> {
    api_version: u32,
    token: &'a str,
}

impl Verb for Args {
    fn common(&self) -> &Common {
        &self.common
    }

    fn run(&self, api: &Api, manner: Manner) -> Result<ExitCode, Failure> {
        let line = |token: &str| format!("{token}\n");
        match (&self.session, &api.destination().token) {
            (Some(session), _) => {
                let made: TokenMade = api.post("/tokens", &TokenRequest { session: session.clone() })?;
                manner.show(&made, |made| line(&made.token))
            }
            (None, Some(token)) => {
                if let Some(session) = SessionTokens::named(token.secret()) {
                    manner.say(&format!(
                        "this is the token of {session}: it reaches that session over the API, and nothing else"
                    ));
                }
                let ours = Ours { api_version: API_VERSION, token: token.secret() };
                manner.show(&ours, |ours| line(ours.token))
            }
            (None, None) => Err(Failure::new(Kind::NotFound, "no token is known for this gateway")
                .hint("it may ask for none; else give it with EVERPANE_TOKEN or --token")),
        }
    }
}
