//! `pane_tokens`: which programs get a token for their session.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Which programs in panes get a token that reaches their own session. Whoever has it can do all there that a person can.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PaneTokens {
    /// None.
    None,
    /// Those on the gateway's own machine.
    #[default]
    Local,
    /// Those on other nodes as well, which puts a session in the hands of each machine that one of its panes is on.
    Everywhere,
}

impl<'de> Deserialize<'de> for PaneTokens {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

/// Reads it as files have it: by name, or switched on or off as long as there was nothing else to say.
struct Written;

impl Visitor<'_> for Written {
    type Value = PaneTokens;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#""none", "local" or "everywhere""#)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<PaneTokens, E> {
        match name {
            "none" => Ok(PaneTokens::None),
            "local" => Ok(PaneTokens::Local),
            "everywhere" => Ok(PaneTokens::Everywhere),
            _ => Err(E::invalid_value(serde::de::Unexpected::Str(name), &self)),
        }
    }

    fn visit_bool<E: Error>(self, on: bool) -> Result<PaneTokens, E> {
        Ok(if on { PaneTokens::Local } else { PaneTokens::None })
    }
}
