//! Where a gateway is dialled, as people write it.

use tokio_tungstenite::tungstenite::http::Uri;

/// The WebSocket address of the gateway that `text` names: `ws`, `wss`, `http` or `https`, with or without the path.
///
/// # Errors
/// When it is none; for people.
pub(super) fn websocket_address(text: &str) -> anyhow::Result<Uri> {
    let wrong = || {
        anyhow::anyhow!("`{text}` is no address of a gateway; one looks like https://gateway.example:7433")
    };
    let (scheme, rest) = text.trim().split_once("://").ok_or_else(wrong)?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "ws" | "http" => "ws",
        "wss" | "https" => "wss",
        _ => return Err(wrong()),
    };
    let given: Uri = format!("{scheme}://{rest}").parse().map_err(|_| wrong())?;
    let authority = given.authority().ok_or_else(wrong)?;
    if authority.as_str().contains('@') || given.query().is_some() {
        anyhow::bail!("`{text}` must hold no name, password or query; the token goes into the environment");
    }
    let path = given.path().trim_end_matches('/');
    let path = path.strip_suffix("/ws").unwrap_or(path);
    format!("{scheme}://{authority}{path}/ws").parse().map_err(|_| wrong())
}

/// The gateway whose `/ws` this is, as people write it: `http` or `https`, without a slash at the end.
pub(super) fn http_address(websocket: &Uri) -> String {
    let scheme = if websocket.scheme_str() == Some("wss") { "https" } else { "http" };
    let authority = websocket.authority().map_or("", |authority| authority.as_str());
    let prefix = websocket.path().strip_suffix("/ws").unwrap_or_default();
    format!("{scheme}://{authority}{prefix}")
}

/// Whether what is sent there can be read on the way.
pub(super) fn is_open(address: &Uri) -> bool {
    let host = address.host().unwrap_or_default().trim_matches(['[', ']']);
    let here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    address.scheme_str() == Some("ws") && !here
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        let cases = [
            ("http://127.0.0.1:7433", "ws://127.0.0.1:7433/ws"),
            ("https://box.example/", "wss://box.example/ws"),
            ("WS://[::1]:1/ws", "ws://[::1]:1/ws"),
            ("wss://box/behind/proxy", "wss://box/behind/proxy/ws"),
            (" wss://box/behind/ws/ ", "wss://box/behind/ws"),
        ];
        for (text, wanted) in cases {
            assert_eq!(websocket_address(text).unwrap().to_string(), wanted, "{text}");
        }
        for text in
            ["", "box:7433", "ftp://box", "http://", "http://u:p@box", "http://box/?token=x", "ws://a b"]
        {
            assert!(websocket_address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_is_written_as_it_can_be_read_again() {
        for text in ["http://127.0.0.1:7433", "https://box/behind/proxy", "http://[::1]:1"] {
            assert_eq!(http_address(&websocket_address(text).unwrap()), text);
        }
    }

    #[test]
    fn only_this_machine_is_reached_in_the_open_without_a_word() {
        let open = |text| is_open(&websocket_address(text).unwrap());
        assert!(open("http://box:1") && open("http://10.0.0.1"));
        assert!(!open("https://box") && !open("http://localhost:1") && !open("http://[::1]:1"));
    }
}
