//! Finds programs the way a shell does, and says why one can't be run.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

/// Why a program can't be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum ProgramError {
    /// A bare name that is in no directory of the search path.
    #[error("no program `{name}` in the search path; give its full path, or install it")]
    NotInPath { name: String },
    /// A path with nothing there.
    #[error("no such program: {}", path.display())]
    Missing { path: PathBuf },
    /// Something is there, but it is no executable file.
    #[error("{} can't be executed; is it a program, with execute permission?", path.display())]
    NotExecutable { path: PathBuf },
}

/// The path of `program`: itself when it has a slash, else the first executable of that name in `search`, a
/// list of directories with colons between them.
///
/// # Errors
/// When there is none, or it can't be executed.
pub fn find(program: &str, search: Option<&str>) -> Result<PathBuf, ProgramError> {
    if program.contains('/') {
        return check(Path::new(program));
    }
    let directories =
        search.unwrap_or("/usr/local/bin:/usr/bin:/bin").split(':').filter(|part| !part.is_empty());
    directories
        .map(|directory| Path::new(directory).join(program))
        .find_map(|path| check(&path).ok())
        .ok_or_else(|| ProgramError::NotInPath { name: program.to_owned() })
}

fn check(path: &Path) -> Result<PathBuf, ProgramError> {
    let Ok(metadata) = path.metadata() else {
        return Err(ProgramError::Missing { path: path.to_owned() });
    };
    if metadata.is_file() && access(path, Access::EXEC_OK).is_ok() {
        Ok(path.to_owned())
    } else {
        Err(ProgramError::NotExecutable { path: path.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_or_the_reason_is_named() {
        assert_eq!(find("sh", Some("/nowhere:/bin")), Ok(PathBuf::from("/bin/sh")));
        assert_eq!(find("/bin/sh", None), Ok(PathBuf::from("/bin/sh")));
        let missing = ProgramError::Missing { path: PathBuf::from("/nowhere/sh") };
        assert_eq!(find("/nowhere/sh", None), Err(missing));
        let directory = ProgramError::NotExecutable { path: PathBuf::from("/etc/") };
        assert_eq!(find("/etc/", None), Err(directory));
        let unknown = ProgramError::NotInPath { name: "no-such-program".to_owned() };
        assert_eq!(find("no-such-program", Some("/bin")), Err(unknown));
    }
}
