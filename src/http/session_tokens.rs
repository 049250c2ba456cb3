//! Tokens that reach one session alone: its id, and a keyed hash of that which only who knows the gateway's token can
//! make. Nothing is kept of them; they end with that token.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::config::Token;
use crate::ids::SessionId;

/// What every such token begins with.
const PREFIX: &str = "ep1";

/// What its hash is good for, and nothing else.
const PURPOSE: &str = "everpane session token 1";

/// Makes and recognises them.
pub struct SessionTokens(Hmac<Sha256>);

impl SessionTokens {
    /// Those of the gateway with this token.
    #[must_use]
    pub fn new(token: &Token) -> Self {
        Self(Hmac::new_from_slice(token.secret().as_bytes()).expect("a key may have any length"))
    }

    /// The token of a session: `ep1.s3.…`.
    #[must_use]
    pub fn make(&self, session: SessionId) -> String {
        let tag = BASE64_URL_SAFE_NO_PAD.encode(self.hash(session).finalize().into_bytes());
        format!("{PREFIX}.{session}.{tag}")
    }

    /// The session that a token is for, if it is one of ours. Compares in constant time.
    #[must_use]
    pub fn session(&self, presented: &str) -> Option<SessionId> {
        let (session, tag) = Self::parts(presented)?;
        let tag = BASE64_URL_SAFE_NO_PAD.decode(tag).ok()?;
        self.hash(session).verify_slice(&tag).is_ok().then_some(session)
    }

    /// The session that a token says it is for; whether it is anybody's, only its gateway knows.
    #[must_use]
    pub fn named(token: &str) -> Option<SessionId> {
        Some(Self::parts(token)?.0)
    }

    fn parts(token: &str) -> Option<(SessionId, &str)> {
        let (session, tag) = token.strip_prefix(PREFIX)?.strip_prefix('.')?.split_once('.')?;
        Some((session.parse().ok()?, tag))
    }

    fn hash(&self, session: SessionId) -> Hmac<Sha256> {
        self.0.clone().chain_update(PURPOSE).chain_update([0]).chain_update(session.to_string())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(token: &str) -> SessionTokens {
        SessionTokens::new(&Token::new(token).unwrap())
    }

    #[test]
    fn a_token_is_the_same_each_time_and_differs_by_session_and_gateway() {
        let ours = tokens("sixteen-letters-");
        let three = ours.make(SessionId(3));
        assert!(three.starts_with("ep1.s3.") && three.len() == "ep1.s3.".len() + 43, "{three}");
        assert_eq!(three, tokens("sixteen-letters-").make(SessionId(3)));
        let tag = |token: &str| token.rsplit('.').next().map(str::to_owned);
        assert_ne!(tag(&three), tag(&ours.make(SessionId(4))));
        assert_ne!(tag(&three), tag(&tokens("another-token-now").make(SessionId(3))));
        assert_eq!(tokens("another-token-now").session(&three), None);
    }

    proptest! {
        #[test]
        fn only_what_was_made_is_recognised(session in any::<u64>(), at in any::<prop::sample::Index>(), byte in 0x21_u8..0x7f) {
            let ours = tokens("sixteen-letters-");
            let made = ours.make(SessionId(session));
            prop_assert_eq!(ours.session(&made), Some(SessionId(session)));
            prop_assert_eq!(SessionTokens::named(&made), Some(SessionId(session)));
            let mut changed = made.clone().into_bytes();
            let at = at.index(changed.len());
            changed[at] = byte;
            let changed = String::from_utf8(changed).unwrap();
            prop_assert_eq!(ours.session(&changed).is_some(), changed == made);
            prop_assert_eq!(ours.session(&made[..at]), None);
        }
    }
}
