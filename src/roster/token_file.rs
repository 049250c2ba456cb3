//! The file that node tokens are kept in: changed by `everpane node-token`, watched by a running gateway.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::tokens::{NodeTokens, TokenNameError};
use crate::store::{Document, DocumentError};

/// Where it is, in the data directory.
const NAME: &str = "node-tokens.json";

/// What tells one version of the file from the next, which is another file under the same name.
type Stamp = Option<(u64, i64, i64, u64)>;

/// See the module.
#[derive(Debug, Clone)]
pub struct TokenFile {
    document: Document,
    /// The version that was read last; none before the first.
    read: Option<Stamp>,
}

/// Why tokens were not changed.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// The file can't be read or written.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The change can't be made.
    #[error(transparent)]
    Name(#[from] TokenNameError),
}

impl TokenFile {
    /// The one in `data_dir`.
    #[must_use]
    pub fn in_dir(data_dir: &Path) -> TokenFile {
        TokenFile { document: Document::new(data_dir, NAME), read: None }
    }

    /// The tokens; none if there is no file.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn tokens(&self) -> Result<NodeTokens, DocumentError> {
        Ok(self.document.read()?.unwrap_or_default())
    }

    /// Changes the tokens while no other program does.
    ///
    /// # Errors
    /// When `change` fails, or the file can't be read or written.
    pub fn update<R>(
        &self,
        change: impl FnOnce(&mut NodeTokens) -> Result<R, TokenNameError>,
    ) -> Result<R, TokenFileError> {
        self.document.update(|tokens| Ok(change(tokens)?))
    }

    /// The tokens, if the file is another one than last time.
    ///
    /// # Errors
    /// When it can't be read; it is not tried again before it is changed.
    pub fn news(&mut self) -> Result<Option<NodeTokens>, DocumentError> {
        let stamp = self.stamp();
        if self.read == Some(stamp) {
            return Ok(None);
        }
        self.read = Some(stamp);
        self.tokens().map(Some)
    }

    fn stamp(&self) -> Stamp {
        let metadata = fs::metadata(self.document.path()).ok()?;
        Some((metadata.ino(), metadata.mtime(), metadata.mtime_nsec(), metadata.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_noticed_once() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = TokenFile::in_dir(dir.path());
        assert_eq!(file.news().unwrap(), Some(NodeTokens::default()), "no file is no tokens");
        assert_eq!(file.news().unwrap(), None);
        let text = file.update(|tokens| tokens.create("a", [1; 32], 0)).unwrap();
        let tokens = file.news().unwrap().unwrap();
        assert!(tokens.find(&text).is_some());
        assert_eq!(file.news().unwrap(), None);
        file.update(|tokens| tokens.revoke("a")).unwrap();
        assert_eq!(file.news().unwrap().unwrap().find(&text), None);
        let refused = file.update(|tokens| tokens.revoke("a"));
        assert!(matches!(refused, Err(TokenFileError::Name(TokenNameError::Unknown { .. }))));
        assert_eq!(file.news().unwrap(), None, "a refused change changes nothing");
    }

    #[test]
    fn a_damaged_file_is_told_once() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = TokenFile::in_dir(dir.path());
        fs::write(dir.path().join(NAME), "{}").unwrap();
        assert!(file.news().is_err());
        assert_eq!(file.news().unwrap(), None);
    }
}
