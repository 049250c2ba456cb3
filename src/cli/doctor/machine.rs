//! This machine: the settings, the data directory, and what shells need.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{Access, access};
use rustix::process::{Resource, getrlimit};

use super::finding::Finding;
use crate::cli::reach::Reach;
use crate::config::{Config, Overrides, Surroundings, config_file};

/// Fewer open files may not be enough for many panes and viewers.
const ENOUGH_FILES: u64 = 4096;

/// Looks at what a gateway on this machine would find.
pub(super) fn look(reach: &Reach, surroundings: &Surroundings) -> Vec<Finding> {
    let overrides = Overrides { data_dir: reach.data_dir.clone(), ..Overrides::default() };
    let file = config_file(reach.config.clone());
    let loaded = Config::load(file.as_deref(), overrides, surroundings);
    let config = match loaded {
        Ok(config) => config,
        Err(error) => {
            let seen = format!("{:#}", anyhow::Error::new(error));
            return vec![Finding::bad("settings", seen, "`everpane config check` shows all that is wrong")];
        }
    };
    let seen = match &file {
        Some(file) => format!("{} can be used", file.display()),
        None => "the defaults; there is no config file".to_owned(),
    };
    let mut findings = vec![Finding::good("settings", seen)];
    findings.extend(data_dir(&config.data_dir, surroundings.uid));
    findings.push(shell(config, surroundings));
    findings.push(terminals());
    findings.push(files());
    findings
}

/// The data directory and the secret in it.
fn data_dir(dir: &Path, uid: u32) -> Vec<Finding> {
    let shown = dir.display();
    let Ok(about) = fs::metadata(dir) else {
        return vec![Finding::good("data", format!("{shown} is made by the first gateway"))];
    };
    let mut findings = vec![if !about.is_dir() {
        Finding::bad("data", format!("{shown} is no directory"), "name another one with --data-dir")
    } else if access(dir, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_err() {
        let advice = format!("let your user write there: chown -R {uid} {shown}");
        Finding::bad("data", format!("{shown} cannot be written by us"), advice)
    } else {
        Finding::good("data", format!("{shown}"))
    }];
    let token = dir.join("token");
    if let Ok(about) = fs::metadata(&token) {
        let shown = token.display();
        findings.push(if about.uid() != uid {
            let seen = format!("{shown} belongs to user {}", about.uid());
            Finding::bad("token", seen, "run this as the user who runs the gateway")
        } else if about.permissions().mode() & 0o077 != 0 {
            let advice = format!("chmod 600 {shown}");
            Finding::bad("token", format!("{shown} can be read by others"), advice)
        } else {
            Finding::good("token", "readable by you alone")
        });
    }
    findings
}

fn shell(config: Config, surroundings: &Surroundings) -> Finding {
    match config.resolve(surroundings) {
        Ok(config) => Finding::good("shell", config.shell.display().to_string()),
        Err(error) => {
            let seen = format!("{:#}", anyhow::Error::new(error));
            Finding::bad("shell", seen, "name one that is there with `shell` in the config file")
        }
    }
}

/// Whether there can be terminals at all.
fn terminals() -> Finding {
    match OpenOptions::new().read(true).write(true).open("/dev/ptmx") {
        Ok(_) => Finding::good("terminals", "can be made"),
        Err(error) => {
            let advice = "in a container, mount devpts; or too many are open (sysctl kernel.pty.max)";
            Finding::bad("terminals", format!("/dev/ptmx: {error}"), advice)
        }
    }
}

fn files() -> Finding {
    let most = getrlimit(Resource::Nofile).maximum;
    match most {
        Some(few) if few < ENOUGH_FILES => {
            let advice = format!("raise the hard limit (ulimit -Hn) to {ENOUGH_FILES} for many panes");
            Finding::poor("open files", format!("{few} at most"), advice)
        }
        Some(most) => Finding::good("open files", format!("{most} at most")),
        None => Finding::good("open files", "without a limit"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    fn uid() -> u32 {
        rustix::process::getuid().as_raw()
    }

    fn verdict(findings: &[Finding], subject: &str) -> Option<Verdict> {
        findings.iter().find(|finding| finding.subject == subject).map(|finding| finding.verdict)
    }

    #[test]
    fn a_token_for_all_to_read_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let token = dir.path().join("token");
        fs::write(&token, "a-token-of-some-length").unwrap();
        let set = |mode| fs::set_permissions(&token, fs::Permissions::from_mode(mode)).unwrap();
        set(0o600);
        assert_eq!(verdict(&data_dir(dir.path(), uid()), "token"), Some(Verdict::Good));
        set(0o640);
        assert_eq!(verdict(&data_dir(dir.path(), uid()), "token"), Some(Verdict::Bad));
        assert_eq!(verdict(&data_dir(dir.path(), uid() + 1), "token"), Some(Verdict::Bad), "another user's");
        assert_eq!(verdict(&data_dir(&token, uid()), "data"), Some(Verdict::Bad), "no directory");
        assert_eq!(verdict(&data_dir(&dir.path().join("new"), uid()), "data"), Some(Verdict::Good));
    }

    #[test]
    fn wrong_settings_are_the_only_thing_to_say() {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("config.toml");
        fs::write(&config, "colour = 1\n").unwrap();
        let reach = Reach { config: Some(config), ..Reach::default() };
        let findings = look(&reach, &Surroundings::here());
        assert_eq!((findings.len(), verdict(&findings, "settings")), (1, Some(Verdict::Bad)));
    }
}
