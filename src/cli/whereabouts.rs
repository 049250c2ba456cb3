//! How other commands on this machine find the gateway of a data directory: by a file in it that says where it listens,
//! and the token beside it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, anyhow};

/// The file's name.
const NAME: &str = "address";

/// Writes down where the gateway listens. It serves without that as well.
pub(super) fn write(data_dir: &Path, listen: SocketAddr) {
    if let Err(error) = replace(data_dir, &format!("{}\n", reachable(listen))) {
        tracing::warn!(%error, "cannot write the file `{NAME}` in the data directory");
    }
}

/// Where the gateway of `data_dir` listens, or listened last.
pub(super) fn read(data_dir: &Path) -> anyhow::Result<SocketAddr> {
    let path = data_dir.join(NAME);
    let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            anyhow!("no gateway has run with {}; name one with --gateway", data_dir.display())
        }
        _ => anyhow!("{}: {error}", path.display()),
    })?;
    text.trim_end().parse().with_context(|| format!("{} holds no address", path.display()))
}

/// Where to connect to reach what listens at `listen`.
pub(super) fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn replace(data_dir: &Path, text: &str) -> io::Result<()> {
    let aside = data_dir.join(format!("{NAME}.new-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
    file.write_all(text.as_bytes())?;
    fs::rename(&aside, data_dir.join(NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_last_is_where_to_connect() {
        let dir = tempfile::tempdir().unwrap();
        assert!(read(dir.path()).unwrap_err().to_string().contains("--gateway"));
        let cases = [
            ("127.0.0.1:7433", "127.0.0.1:7433"),
            ("0.0.0.0:1", "127.0.0.1:1"),
            ("[::]:2", "[::1]:2"),
            ("192.0.2.1:3", "192.0.2.1:3"),
        ];
        for (listen, wanted) in cases {
            write(dir.path(), listen.parse().unwrap());
            assert_eq!(read(dir.path()).unwrap().to_string(), wanted);
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left aside");
        fs::write(dir.path().join(NAME), "here").unwrap();
        assert!(read(dir.path()).unwrap_err().to_string().contains("holds no address"));
    }
}
