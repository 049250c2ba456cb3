//! Which pages may use the gateway. A browser says where a page comes from; a page of another origin, though
//! shown on the same machine, must not reach a shell (cross-site WebSocket hijacking).

/// The origins allowed beyond the gateway's own.
#[derive(Debug, Clone)]
pub(super) struct Origins {
    allowed: Vec<String>,
}

impl Origins {
    /// The rules with the origins of the settings, each exactly as a browser writes it.
    pub(super) fn new(allowed: &[String]) -> Self {
        Self { allowed: allowed.to_vec() }
    }

    /// Whether a page from `origin` may send a request that is addressed to `host`. Both are compared letter by
    /// letter: what a browser would not write is not from a browser.
    pub(super) fn admits(&self, origin: &str, host: &str) -> bool {
        let own = origin.strip_prefix("http://") == Some(host) && !self.is_secure(host);
        own || self.allowed.iter().any(|allowed| allowed == origin)
    }

    /// Whether `host` is served over TLS by something in front of us. Then its plain twin is another origin.
    pub(super) fn is_secure(&self, host: &str) -> bool {
        self.allowed.iter().any(|allowed| allowed.strip_prefix("https://") == Some(host))
    }

    /// The hosts of the allowed origins, which requests may then be addressed to as well.
    pub(super) fn hosts(&self) -> impl Iterator<Item = &str> {
        self.allowed.iter().filter_map(|origin| origin.split_once("://").map(|(_, host)| host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_one() {
        let origins = Origins::new(&["https://term.example.org".to_owned(), "http://other:1".to_owned()]);
        let cases = [
            ("http://localhost:7433", "localhost:7433", true),
            ("http://127.0.0.1:7433", "127.0.0.1:7433", true),
            ("http://[::1]:7433", "[::1]:7433", true),
            ("http://other:1", "localhost:7433", true),
            ("https://term.example.org", "term.example.org", true),
            ("https://term.example.org", "localhost:7433", true),
            ("http://term.example.org", "term.example.org", false),
            ("http://127.0.0.1:7433", "localhost:7433", false),
            ("http://localhost:7434", "localhost:7433", false),
            ("http://localhost", "localhost:7433", false),
            ("https://localhost:7433", "localhost:7433", false),
            ("HTTP://localhost:7433", "localhost:7433", false),
            ("http://LOCALHOST:7433", "localhost:7433", false),
            ("http://localhost:7433.", "localhost:7433", false),
            ("http://localhost.:7433", "localhost:7433", false),
            ("http://localhost:7433/", "localhost:7433", false),
            ("http://localhost:7433.evil.test", "localhost:7433", false),
            ("http://evil.test/localhost:7433", "localhost:7433", false),
            ("http://evillocalhost:7433", "localhost:7433", false),
            ("http://evil@localhost:7433", "localhost:7433", false),
            ("http://evil.test", "localhost:7433", false),
            ("localhost:7433", "localhost:7433", false),
            ("null", "localhost:7433", false),
            ("", "localhost:7433", false),
            ("http://", "localhost:7433", false),
        ];
        for (origin, host, wanted) in cases {
            assert_eq!(origins.admits(origin, host), wanted, "{origin:?} to {host}");
        }
    }
}
