//! Which host names a request may be addressed to. A page that makes its own name resolve to this machine (DNS
//! rebinding) still sends that name, and is refused here.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The port that a `Host` without one means.
const HTTP_PORT: u16 = 80;

/// The names and addresses that we answer to.
#[derive(Debug, Clone)]
pub(super) struct Hosts {
    /// Where we listen, with the port that we really got.
    listen: SocketAddr,
    /// The machine's own name, which counts while we listen on every address.
    machine: String,
    /// Names from the settings. Without a port they are allowed with any: a reverse proxy's is not ours.
    named: Vec<(String, Option<u16>)>,
}

impl Hosts {
    /// The rules for a gateway that listens at `listen` on the machine named `machine`.
    pub(super) fn new<'a>(listen: SocketAddr, machine: &str, named: impl Iterator<Item = &'a str>) -> Self {
        let named = named.filter_map(split).map(|(name, port)| (name.to_owned(), port)).collect();
        Self { listen, machine: machine.to_owned(), named }
    }

    /// Whether `host`, the whole value of a `Host` header, is one of ours.
    pub(super) fn admits(&self, host: &str) -> bool {
        let Some((name, port)) = split(host) else { return false };
        self.is_named(name, port) || (port.unwrap_or(HTTP_PORT) == self.listen.port() && self.is_here(name))
    }

    fn is_named(&self, name: &str, port: Option<u16>) -> bool {
        self.named.iter().any(|(known, wanted)| {
            let port_fits = match (wanted, port) {
                (None, _) => true,
                (Some(wanted), Some(port)) => *wanted == port,
                // A browser leaves out the port that its scheme implies.
                (Some(wanted), None) => [HTTP_PORT, 443].contains(wanted),
            };
            port_fits && known.eq_ignore_ascii_case(name)
        })
    }

    /// Whether `name` is this machine. While we listen on every address, any address in digits is: nobody can
    /// make digits resolve to something else.
    fn is_here(&self, name: &str) -> bool {
        let everywhere = self.listen.ip().is_unspecified();
        match address(name) {
            Some(ip) => ip.is_loopback() || ip == self.listen.ip() || everywhere,
            None => {
                name.eq_ignore_ascii_case("localhost")
                    || (everywhere && !self.machine.is_empty() && name.eq_ignore_ascii_case(&self.machine))
            }
        }
    }
}

/// Name (with brackets, if it has any) and port of a `Host` value; `None` if it is malformed.
fn split(host: &str) -> Option<(&str, Option<u16>)> {
    let end = match host.strip_prefix('[') {
        Some(inner) => inner.find(']')? + 2,
        None => host.find(':').unwrap_or(host.len()),
    };
    let (name, rest) = host.split_at(end);
    let port = match rest.strip_prefix(':') {
        // `parse` alone would take a sign.
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
        Some(_) => return None,
        None if rest.is_empty() => None,
        None => return None,
    };
    (!name.is_empty()).then_some((name, port))
}

fn address(name: &str) -> Option<IpAddr> {
    match name.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => name.parse().ok().filter(IpAddr::is_ipv4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(listen: &str, named: &[&str], cases: &[(&str, bool)]) {
        let hosts = Hosts::new(listen.parse().unwrap(), "box", named.iter().copied());
        for (host, wanted) in cases {
            assert_eq!(hosts.admits(host), *wanted, "{host:?} at {listen}");
        }
    }

    #[test]
    fn loopback_names_with_our_port_only() {
        let cases = [
            ("127.0.0.1:7433", true),
            ("127.8.9.10:7433", true),
            ("localhost:7433", true),
            ("LocalHost:7433", true),
            ("[::1]:7433", true),
            ("[0:0:0:0:0:0:0:1]:7433", true),
            ("localhost", false),
            ("localhost:7434", false),
            ("localhost:80", false),
            ("evil.test", false),
            ("evil.test:7433", false),
            ("127.0.0.1.nip.io:7433", false),
            ("localhost.evil:7433", false),
            ("localhost.:7433", false),
            ("evil.localhost:7433", false),
            ("0x7f.1:7433", false),
            ("2130706433:7433", false),
            ("127.1:7433", false),
            ("0.0.0.0:7433", false),
            ("10.0.0.1:7433", false),
            ("box:7433", false),
            ("::1:7433", false),
            ("[::1:7433", false),
            ("[::1]7433", false),
            ("[127.0.0.1]:7433", false),
            ("", false),
            (":7433", false),
            ("localhost:", false),
            ("localhost:+7433", false),
            ("localhost:7433:7433", false),
            ("localhost:74330", false),
            ("user@localhost:7433", false),
            ("localhost:7433/", false),
            (" localhost:7433", false),
        ];
        check("127.0.0.1:7433", &[], &cases);
    }

    #[test]
    fn port_80_may_be_left_out() {
        check("127.0.0.1:80", &[], &[("localhost", true), ("localhost:80", true), ("localhost:443", false)]);
    }

    #[test]
    fn the_address_we_listen_on() {
        check("192.168.1.5:1", &[], &[("192.168.1.5:1", true), ("192.168.1.6:1", false), ("box:1", false)]);
        check("[fd00::5]:1", &[], &[("[fd00::5]:1", true), ("[fd00::6]:1", false)]);
    }

    #[test]
    fn on_every_address_any_in_digits_and_the_machines_name() {
        let cases = [("10.0.0.1:1", true), ("[fd00::6]:1", true), ("box:1", true), ("box.evil:1", false)];
        check("0.0.0.0:1", &[], &cases);
        check("[::]:1", &[], &cases);
    }

    #[test]
    fn names_from_the_settings() {
        let named = ["term.example.org", "box:8080", "tls:443", "[fd00::7]"];
        let cases = [
            ("term.example.org", true),
            ("TERM.example.org:8443", true),
            ("a.term.example.org", false),
            ("term.example.org.evil", false),
            ("box:8080", true),
            ("box:8081", false),
            ("box", false),
            ("tls", true),
            ("[fd00::7]:9", true),
        ];
        check("127.0.0.1:7433", &named, &cases);
    }
}
