//! The access token: from the environment, or made once and kept in the data directory for its owner alone.

use std::fmt;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// The fewest characters that a token may have.
const MIN_TOKEN_CHARS: usize = 16;

/// The most characters that a token may have; it has to fit into a request's head.
const MAX_TOKEN_CHARS: usize = 1024;

const FILE_NAME: &str = "token";
const OWNER_ONLY: u32 = 0o600;

/// A secret that lets in whoever knows it. Never printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Text that cannot be a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Empty or easily guessed.
    #[error("the token has {chars} characters; at least {MIN_TOKEN_CHARS} are wanted")]
    Short {
        /// How many it has.
        chars: usize,
    },
    /// Longer than any request may be.
    #[error("the token has {chars} characters; at most {MAX_TOKEN_CHARS} are allowed")]
    Long {
        /// How many it has.
        chars: usize,
    },
    /// Not to be sent in a header.
    #[error("the token may hold printable ASCII characters only, and no space")]
    Characters,
}

impl Token {
    /// Takes `text` as a token if it is fit to be one.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let chars = text.chars().count();
        match chars {
            _ if chars < MIN_TOKEN_CHARS => Err(TokenError::Short { chars }),
            _ if chars > MAX_TOKEN_CHARS => Err(TokenError::Long { chars }),
            _ if !text.bytes().all(|byte| byte.is_ascii_graphic()) => Err(TokenError::Characters),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// The token kept in `data_dir`, made at the first start.
    ///
    /// # Errors
    /// When the file cannot be read or written, or does not hold a token.
    pub fn kept_in(data_dir: &Path) -> anyhow::Result<Self> {
        let path = data_dir.join(FILE_NAME);
        let about = |error: io::Error| anyhow::anyhow!("the token file {}: {error}", path.display());
        if !path.try_exists().map_err(about)? {
            create(&path, &Self::random()?).map_err(about)?;
        }
        let text = fs::read_to_string(&path).map_err(about)?;
        let token = Self::new(text.trim_end()).map_err(|error| {
            anyhow::anyhow!("the token file {}: {error}; remove it to get a new one", path.display())
        })?;
        tighten(&path).map_err(about)?;
        Ok(token)
    }

    /// The token kept in `data_dir`, if one was made.
    ///
    /// # Errors
    /// When the file cannot be read, or does not hold a token.
    pub fn found_in(data_dir: &Path) -> anyhow::Result<Option<Self>> {
        let path = data_dir.join(FILE_NAME);
        let about = |error: &dyn fmt::Display| anyhow::anyhow!("the token file {}: {error}", path.display());
        match fs::read_to_string(&path) {
            Ok(text) => Self::new(text.trim_end()).map(Some).map_err(|error| about(&error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(about(&error)),
        }
    }

    /// The secret itself.
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// 256 random bits in hexadecimal.
    fn random() -> anyhow::Result<Self> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness for a token: {error}"))?;
        Ok(Self(hex(&bytes)))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// `bytes` in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes the file aside and links it into place: it appears whole and with its mode, or not at all, and of two
/// starters one wins and the other reads the winner's.
fn create(path: &Path, token: &Token) -> io::Result<()> {
    let aside = path.with_extension(format!("new-{}", std::process::id()));
    let _ = fs::remove_file(&aside);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(&aside)?;
    let linked = file
        .write_all(format!("{}\n", token.secret()).as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::hard_link(&aside, path));
    fs::remove_file(&aside)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

fn tighten(path: &Path) -> io::Result<()> {
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    tracing::warn!(path = %path.display(), "the token file could be read by others; its mode is now 0600");
    fs::set_permissions(path, Permissions::from_mode(OWNER_ONLY))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_may_be_a_token() {
        let long = "x".repeat(MAX_TOKEN_CHARS + 1);
        let cases = [
            ("", Err(TokenError::Short { chars: 0 })),
            ("fifteen-letters", Err(TokenError::Short { chars: 15 })),
            ("sixteen-letters-", Ok(())),
            ("ünïcödé-is-not-for-headers", Err(TokenError::Characters)),
            ("nor are spaces, alas", Err(TokenError::Characters)),
            (long.as_str(), Err(TokenError::Long { chars: MAX_TOKEN_CHARS + 1 })),
        ];
        for (text, wanted) in cases {
            assert_eq!(Token::new(text).map(|_| ()), wanted, "{text}");
        }
    }

    #[test]
    fn made_once_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Token::found_in(dir.path()).unwrap().is_none());
        let first = Token::kept_in(dir.path()).unwrap();
        assert_eq!(Token::found_in(dir.path()).unwrap().as_ref(), Some(&first));
        assert_eq!(first.secret().len(), 64);
        assert_eq!(Token::kept_in(dir.path()).unwrap(), first);
        let names: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["token"], "nothing is left aside");
        assert_eq!(mode(&dir.path().join("token")), OWNER_ONLY);
    }

    #[test]
    fn a_loose_mode_is_tightened() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        fs::write(&path, "sixteen-letters-\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert_eq!(Token::kept_in(dir.path()).unwrap().secret(), "sixteen-letters-");
        assert_eq!(mode(&path), OWNER_ONLY);
    }

    #[test]
    fn a_file_without_a_token_is_refused_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        for text in ["", "\n", "short\n"] {
            fs::write(&path, text).unwrap();
            let error = Token::kept_in(dir.path()).unwrap_err().to_string();
            assert!(error.contains("at least 16"), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn never_printed_by_accident() {
        assert_eq!(format!("{:?}", Token::new("sixteen-letters-").unwrap()), "Token(…)");
    }
}
