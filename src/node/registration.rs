//! What a node says of itself, checked: everything after this may trust its lengths and characters.

use super::id::{NodeId, is_id};
use crate::protocol::node::{NodeKind, Register};

/// The longest host name, in bytes: as DNS has it.
const MAX_MACHINE_BYTES: usize = 255;

/// The longest working directory, in bytes: `PATH_MAX` of Linux.
const MAX_CWD_BYTES: usize = 4096;

/// A registration that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    pub(super) id: NodeId,
    pub(super) kind: NodeKind,
    pub(super) machine: String,
    pub(super) cwd: String,
    /// Not 0.
    pub(super) port: Option<u16>,
    pub(super) pid: Option<u32>,
    /// The random name of the process, the same over all its connections.
    pub(super) instance: Option<String>,
}

/// A field that can't be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {problem}")]
pub struct InvalidField {
    /// Its name on the wire.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl Registration {
    /// Checks what came over the wire.
    ///
    /// # Errors
    /// The first field that is too long, empty, or has characters it must not have.
    pub fn check(register: Register) -> Result<Registration, InvalidField> {
        if register.kind == Some(NodeKind::Local) {
            return Err(invalid("kind", "can't be `local`: that is the gateway's own node"));
        }
        Registration::checked(register)
    }

    /// The gateway's own node.
    ///
    /// # Errors
    /// As [`Registration::check`].
    pub fn local(register: Register) -> Result<Registration, InvalidField> {
        Registration::checked(Register { kind: Some(NodeKind::Local), ..register })
    }

    fn checked(register: Register) -> Result<Registration, InvalidField> {
        let Register { id, machine, cwd, port, pid, kind, instance } = register;
        let id = NodeId::new(&id).map_err(|error| invalid("id", error.to_string()))?;
        check_text("machine", &machine, MAX_MACHINE_BYTES)?;
        check_text("cwd", &cwd, MAX_CWD_BYTES)?;
        if port == Some(0) {
            return Err(invalid("port", "can't be 0; leave it out where there is none"));
        }
        if instance.as_deref().is_some_and(|instance| !is_id(instance)) {
            return Err(invalid("instance", super::InvalidId.to_string()));
        }
        let kind = kind.unwrap_or(NodeKind::Agent);
        Ok(Registration { id, kind, machine, cwd, port, pid, instance })
    }

    /// The id that it asks for.
    #[must_use]
    pub fn id(&self) -> &NodeId {
        &self.id
    }
}

fn invalid(field: &'static str, problem: impl Into<String>) -> InvalidField {
    InvalidField { field, problem: problem.into() }
}

/// Shown in rosters, so nothing in it may move a terminal's cursor.
fn check_text(field: &'static str, text: &str, max_bytes: usize) -> Result<(), InvalidField> {
    if text.is_empty() {
        return Err(invalid(field, "is empty"));
    }
    if text.len() > max_bytes {
        return Err(invalid(field, format!("has {} bytes, of at most {max_bytes}", text.len())));
    }
    if text.chars().any(char::is_control) {
        return Err(invalid(field, "has control characters"));
    }
    Ok(())
}
