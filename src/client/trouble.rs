//! What is wrong with a connection, as people say it. Pure.

use std::io::{self, ErrorKind};

use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::{ProtocolError, TlsError};
use tokio_tungstenite::tungstenite::http::StatusCode;

/// What the standard library says before the resolver's own words; it has no kind for that.
const NOT_LOOKED_UP: &str = "failed to lookup address information";

/// Why there is no connection to `at`, a host with or without a port.
pub(super) fn of_dialling(error: &Error, at: &str) -> String {
    match error {
        Error::Io(error) => of_connecting(error, at),
        Error::Tls(TlsError::Rustls(error)) => of_tls(error, at),
        Error::Protocol(ProtocolError::HandshakeIncomplete) => format!("{at} hangs up at once"),
        Error::Protocol(_) | Error::Utf8(_) | Error::AttackAttempt => format!("no gateway answers at {at}"),
        error => format!("no connection to {at}: {error}"),
    }
}

/// Why an answer of that status was no connection. "It" is whoever answered.
pub(super) fn of_answer(status: StatusCode) -> String {
    match status {
        StatusCode::UNAUTHORIZED => "it does not know this token".to_owned(),
        StatusCode::FORBIDDEN => format!("it does not let us in ({status})"),
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => {
            format!("a proxy answers in its place, and does not reach it ({status})")
        }
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => is_none(status),
        status if status.is_success() || status.is_redirection() => is_none(status),
        status => format!("it answered {status}"),
    }
}

/// Why a connection that was there is gone.
pub(super) fn of_breaking(error: &Error) -> String {
    match error {
        Error::Io(_)
        | Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => "the connection broke".to_owned(),
        error => error.to_string(),
    }
}

fn is_none(status: StatusCode) -> String {
    format!("what answers is no Everpane gateway ({status})")
}

fn of_connecting(error: &io::Error, at: &str) -> String {
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return of_tls(error, at);
    }
    match error.kind() {
        ErrorKind::ConnectionRefused => format!("nothing listens at {at}"),
        ErrorKind::TimedOut => format!("no answer from {at}"),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => format!("no network leads to {at}"),
        ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe => {
            format!("{at} hangs up at once")
        }
        _ if error.to_string().starts_with(NOT_LOOKED_UP) => format!("the name {at} is not known here"),
        _ => format!("no connection to {at}: {error}"),
    }
}

fn of_tls(error: &rustls::Error, at: &str) -> String {
    match error {
        rustls::Error::InvalidCertificate(why) => {
            format!("{at} shows a certificate that cannot be trusted: {why}")
        }
        rustls::Error::InvalidMessage(_) => format!("{at} does not speak TLS; perhaps it is http, not https"),
        error => format!("no safe connection to {at}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use rustls::{CertificateError, InvalidMessage};

    use super::*;

    fn io(kind: ErrorKind) -> Error {
        Error::Io(io::Error::new(kind, "os error 1"))
    }

    fn tls(error: rustls::Error) -> Error {
        Error::Io(io::Error::new(ErrorKind::InvalidData, error))
    }

    #[test]
    fn what_keeps_us_from_connecting_is_said_in_words() {
        let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let plain = rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType);
        let lookup = io::Error::other(format!("{NOT_LOOKED_UP}: Name or service not known"));
        let cases = [
            (io(ErrorKind::ConnectionRefused), "nothing listens at box:1"),
            (io(ErrorKind::TimedOut), "no answer from box:1"),
            (io(ErrorKind::HostUnreachable), "no network leads to box:1"),
            (io(ErrorKind::ConnectionReset), "box:1 hangs up at once"),
            (Error::Io(lookup), "the name box:1 is not known here"),
            (Error::Protocol(ProtocolError::WrongHttpVersion), "no gateway answers at box:1"),
            (tls(unknown), "box:1 shows a certificate that cannot be trusted: UnknownIssuer"),
            (tls(plain), "box:1 does not speak TLS; perhaps it is http, not https"),
            (io(ErrorKind::StorageFull), "no connection to box:1: os error 1"),
        ];
        for (error, wanted) in cases {
            assert_eq!(of_dialling(&error, "box:1"), wanted);
        }
    }

    #[test]
    fn an_answer_says_who_gave_it() {
        let said = |status: u16| of_answer(StatusCode::from_u16(status).unwrap());
        assert_eq!(said(401), "it does not know this token");
        assert_eq!(said(403), "it does not let us in (403 Forbidden)");
        assert_eq!(said(200), "what answers is no Everpane gateway (200 OK)");
        assert_eq!(said(404), "what answers is no Everpane gateway (404 Not Found)");
        assert_eq!(said(502), "a proxy answers in its place, and does not reach it (502 Bad Gateway)");
        assert_eq!(said(503), "it answered 503 Service Unavailable");
    }

    #[tokio::test]
    async fn a_name_that_nobody_has_is_told_from_a_machine_that_is_away() {
        let error = tokio::net::lookup_host("no-machine.invalid:1").await.err().unwrap();
        assert_eq!(of_dialling(&Error::Io(error), "there"), "the name there is not known here");
    }

    #[test]
    fn a_connection_that_broke_says_no_more_than_that() {
        let reset = Error::Protocol(ProtocolError::ResetWithoutClosingHandshake);
        for error in [io(ErrorKind::ConnectionReset), reset] {
            assert_eq!(of_breaking(&error), "the connection broke");
        }
    }
}
