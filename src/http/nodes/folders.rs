//! The folders of this machine, for whoever looks for a place for a new pane or agent.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::{Nodes, Shared};
use crate::host::directories::{Listing, directories};
use crate::host::remote::RemoteHost;
use crate::protocol::node::{Directories, ListDirectories, Outcome, SpawnAgent};
use crate::roster::Ptys;

/// How long a disk may take.
const DISK_WITHIN: Duration = Duration::from_secs(10);

/// How long another machine may take.
const NODE_WITHIN: Duration = Duration::from_secs(5);

/// The folders in a folder of this machine or of a node.
pub(super) async fn listing(shared: Arc<Shared>, asked: ListDirectories) -> Result<Directories, String> {
    let ListDirectories { path, node } = asked;
    let ptys = node.map_or(Ok(Ptys::Here), |node| shared.nodes.roster.ptys(&node));
    match ptys.map_err(|error| error.to_string())? {
        Ptys::Here => on_disk(shared, move |nodes| list(nodes, path.as_deref())).await,
        Ptys::There(host) => ask(&host, path.unwrap_or_default()).await,
    }
}

async fn ask(host: &RemoteHost, path: String) -> Result<Directories, String> {
    let answer = timeout(NODE_WITHIN, host.directories(path)).await;
    let Listing { current, directories } =
        answer.map_err(|_| format!("the node did not answer within {} s", NODE_WITHIN.as_secs()))??;
    Ok(Directories { current, directories })
}

/// Asks the disk, on a thread that may wait for it. A disk that hangs keeps its place until it answers.
pub(super) async fn on_disk<T: Send + 'static>(
    shared: Arc<Shared>,
    ask: impl FnOnce(&Nodes) -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let asked = async {
        let place = shared.listings.clone().acquire_owned().await.expect("the semaphore is never closed");
        let ask = move || {
            let outcome = ask(&shared.nodes);
            drop(place);
            outcome
        };
        tokio::task::spawn_blocking(ask).await
    };
    match timeout(DISK_WITHIN, asked).await {
        Ok(Ok(outcome)) => outcome,
        // It panicked, or the runtime ends.
        Ok(Err(_)) => Err("this can't be told now".to_owned()),
        Err(_) => Err("the disk does not answer".to_owned()),
    }
}

/// The folders in `path`; without one, in the root that is allowed.
pub(super) fn list(nodes: &Nodes, path: Option<&str>) -> Result<Directories, String> {
    let path = Path::new(path.unwrap_or_default());
    let listing = directories(&nodes.root, path).map_err(|error| error.to_string())?;
    Ok(Directories { current: listing.current, directories: listing.directories })
}

/// Starts the agent in a folder, which is made if it is to be a new one.
pub(super) fn spawn_agent(nodes: &Nodes, asked: &SpawnAgent) -> Result<Outcome, String> {
    if nodes.agent_command.is_empty() {
        return Err("no agent is set up; name its program in `agent_command` of `[nodes]`".to_owned());
    }
    let parent = PathBuf::from(list(nodes, Some(&asked.path))?.current);
    let folder = match &asked.new_folder {
        Some(name) => new_folder(&parent, name)?,
        None => parent,
    };
    (nodes.spawn)(&nodes.agent_command, &folder)?;
    Ok(Outcome::Spawning { path: folder.to_string_lossy().into_owned() })
}

/// Makes a folder in `parent`; one that is there already will do.
fn new_folder(parent: &Path, name: &str) -> Result<PathBuf, String> {
    let plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\0']);
    if !plain {
        return Err("`new_folder` is the name of one folder, and does not begin with a dot".to_owned());
    }
    let folder = parent.join(name);
    match DirBuilder::new().mode(0o755).create(&folder) {
        Ok(()) => Ok(folder),
        // A link could lead anywhere.
        Err(_) if folder.is_dir() && !folder.is_symlink() => Ok(folder),
        Err(error) => Err(format!("{}: {error}", folder.display())),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::roster::{NoPanes, Roster, Settings};

    #[tokio::test]
    async fn an_agent_is_started_inside_the_root_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let started = Arc::new(Mutex::new(Vec::new()));
        let log = started.clone();
        let spawn = move |command: &[String], folder: &Path| {
            if folder.ends_with("broken") {
                return Err("no pane is free".to_owned());
            }
            log.lock().unwrap().push((command.to_vec(), folder.to_owned()));
            Ok(())
        };
        let mut nodes = Nodes {
            roster: Roster::open(Settings::default(), Arc::new(NoPanes)),
            ttl: Duration::from_secs(90),
            root: root.clone(),
            agent_command: vec!["agent".to_owned(), "--here".to_owned()],
            spawn: Box::new(spawn),
        };
        let ask = |path: &str, new_folder: Option<&str>| SpawnAgent {
            path: path.to_owned(),
            new_folder: new_folder.map(str::to_owned),
        };
        let path = root.join("new").to_string_lossy().into_owned();
        assert_eq!(spawn_agent(&nodes, &ask("", Some("new"))), Ok(Outcome::Spawning { path: path.clone() }));
        assert_eq!(spawn_agent(&nodes, &ask("new", None)), Ok(Outcome::Spawning { path }));
        assert_eq!(spawn_agent(&nodes, &ask("", Some("broken"))), Err("no pane is free".to_owned()));
        for (path, new_folder) in [("/", None), ("..", None), ("nowhere", None), ("", Some("../new"))] {
            assert!(spawn_agent(&nodes, &ask(path, new_folder)).is_err(), "{path} {new_folder:?}");
        }
        let command = nodes.agent_command.clone();
        let once = (command, root.join("new"));
        assert_eq!(*started.lock().unwrap(), [once.clone(), once]);
        nodes.agent_command.clear();
        assert!(spawn_agent(&nodes, &ask("new", None)).unwrap_err().contains("agent_command"));
    }

    #[test]
    fn a_new_folder_is_made_once_and_stays_inside() {
        let dir = tempfile::tempdir().unwrap();
        let made = new_folder(dir.path(), "new").unwrap();
        assert!(made.is_dir());
        assert_eq!(new_folder(dir.path(), "new").unwrap(), made, "it is there already");
        for name in ["", ".", "..", ".hidden", "a/b", "../a", "/", "a\0"] {
            assert!(new_folder(dir.path(), name).is_err(), "{name:?}");
        }
        std::os::unix::fs::symlink("/", dir.path().join("link")).unwrap();
        std::fs::write(dir.path().join("file"), "").unwrap();
        assert!(new_folder(dir.path(), "link").is_err());
        assert!(new_folder(dir.path(), "file").is_err());
    }
}
