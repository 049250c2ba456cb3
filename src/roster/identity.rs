//! What a gateway is called by nodes that keep terminals for it: a random name, made once and kept.

use std::path::Path;

use crate::store::{Document, DocumentError};

/// Where it is, in the data directory.
const NAME: &str = "gateway.json";

/// The name of the gateway of `dir`; of one that keeps nothing, a new one.
pub(super) fn identity(dir: Option<&Path>) -> String {
    let kept = dir.map(|dir| {
        Document::new(dir, NAME).update(|name: &mut String| {
            if name.is_empty() {
                *name = random();
            }
            Ok::<_, DocumentError>(name.clone())
        })
    });
    kept.transpose()
        .unwrap_or_else(|error| {
            tracing::warn!("nodes will not know this gateway again: {error}");
            None
        })
        .unwrap_or_else(random)
}

fn random() -> String {
    let mut bytes = [0_u8; 16];
    // Without randomness two gateways could not be told apart, and there would have been no token either.
    getrandom::fill(&mut bytes).expect("the system has randomness");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_called_the_same_after_a_restart() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = identity(Some(one.path()));
        assert_eq!(first.len(), 32);
        assert_eq!(identity(Some(one.path())), first);
        assert_ne!(identity(Some(two.path())), first);
        assert_ne!(identity(None), identity(None));
    }
}
