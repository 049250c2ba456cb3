//! What proves that a request may come in: the token, or a cookie derived from it. Only hashes are kept and
//! compared, in constant time, so that neither an answer's delay nor a memory dump tells the secret.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::config::{Token, hex};

/// How long a browser keeps its cookie, in seconds: 30 days.
const COOKIE_SECS: u32 = 30 * 24 * 60 * 60;

/// The proofs that are accepted.
pub(super) struct Credentials {
    token_hash: [u8; 32],
    cookie_hash: [u8; 32],
    /// `everpane_PORT`: cookies are shared among the ports of a host, gateways are not.
    cookie_name: String,
    /// Derived from the token, so that it outlives a restart; the token can't be had from it.
    cookie_value: String,
}

impl Credentials {
    /// The proofs for `token` at a gateway that listens on `port`.
    pub(super) fn new(token: &Token, port: u16) -> Self {
        let cookie_value = hex(&hash("everpane cookie 1", token.secret()));
        Self {
            token_hash: hash("everpane token 1", token.secret()),
            cookie_hash: hash("everpane cookie hash 1", &cookie_value),
            cookie_name: format!("everpane_{port}"),
            cookie_value,
        }
    }

    /// Whether `presented` is the token.
    pub(super) fn is_token(&self, presented: &str) -> bool {
        hash("everpane token 1", presented).ct_eq(&self.token_hash).into()
    }

    /// Whether `presented`, a cookie's value, is ours.
    pub(super) fn is_cookie(&self, presented: &str) -> bool {
        hash("everpane cookie hash 1", presented).ct_eq(&self.cookie_hash).into()
    }

    /// The values of our cookie in a `Cookie` header.
    pub(super) fn cookies_in<'a>(&'a self, header: &'a str) -> impl Iterator<Item = &'a str> {
        header
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == self.cookie_name)
            .map(|(_, value)| value)
    }

    /// The `Set-Cookie` header that makes a browser send our cookie. `secure` over TLS.
    pub(super) fn set_cookie(&self, secure: bool) -> String {
        let Self { cookie_name, cookie_value, .. } = self;
        let secure = if secure { "; Secure" } else { "" };
        format!(
            "{cookie_name}={cookie_value}; Path=/; Max-Age={COOKIE_SECS}; HttpOnly; SameSite=Strict{secure}"
        )
    }
}

/// A hash that is good for one `purpose` only.
fn hash(purpose: &str, text: &str) -> [u8; 32] {
    Sha256::new().chain_update(purpose).chain_update([0]).chain_update(text).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(token: &str, port: u16) -> Credentials {
        Credentials::new(&Token::new(token).unwrap(), port)
    }

    #[test]
    fn only_the_whole_token_passes() {
        let credentials = credentials("sixteen-letters-", 7433);
        let cases = [
            ("sixteen-letters-", true),
            ("", false),
            ("sixteen-letters", false),
            ("sixteen-letters-x", false),
            ("Sixteen-letters-", false),
        ];
        for (text, wanted) in cases {
            assert_eq!(credentials.is_token(text), wanted, "{text:?}");
        }
        assert!(!credentials.is_token(&credentials.cookie_value));
    }

    #[test]
    fn the_cookie_is_not_the_token_and_outlives_a_restart() {
        let first = credentials("sixteen-letters-", 7433);
        assert!(!first.cookie_value.contains("sixteen"));
        assert_eq!(first.cookie_value, credentials("sixteen-letters-", 7433).cookie_value);
        assert_ne!(first.cookie_value, credentials("another-token-now", 7433).cookie_value);
        assert!(first.is_cookie(&first.cookie_value));
        assert!(!first.is_cookie("sixteen-letters-"));
    }

    #[test]
    fn cookies_of_other_gateways_are_left_alone() {
        let credentials = credentials("sixteen-letters-", 7433);
        let cases: [(&str, &[&str]); 6] = [
            ("everpane_7433=a", &["a"]),
            ("x=1; everpane_7433=a; everpane_7434=b", &["a"]),
            ("everpane_7433=a; everpane_7433=b", &["a", "b"]),
            ("everpane_74330=a; xeverpane_7433=b", &[]),
            ("everpane_7433", &[]),
            ("", &[]),
        ];
        for (header, wanted) in cases {
            assert_eq!(credentials.cookies_in(header).collect::<Vec<_>>(), wanted, "{header}");
        }
    }

    #[test]
    fn the_cookie_is_for_the_browser_alone() {
        let credentials = credentials("sixteen-letters-", 7433);
        let plain = credentials.set_cookie(false);
        assert!(plain.starts_with("everpane_7433="));
        for attribute in ["Path=/", "Max-Age=2592000", "HttpOnly", "SameSite=Strict"] {
            assert!(plain.split("; ").any(|part| part == attribute), "{plain}");
        }
        assert!(!plain.contains("Secure"));
        assert!(credentials.set_cookie(true).ends_with("; Secure"));
    }
}
