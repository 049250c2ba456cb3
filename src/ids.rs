//! The identifiers that everything else speaks in. On the wire and on disk they are text with a letter in
//! front (`s1`, `t4`, `p12`), so that one kind can never be taken for another.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Text that is not an identifier of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {kind} id (one looks like `{prefix}1`)")]
pub struct ParseIdError {
    text: String,
    kind: &'static str,
    prefix: char,
}

fn parse(text: &str, kind: &'static str, prefix: char) -> Result<u64, ParseIdError> {
    text.strip_prefix(prefix)
        // Only the form that we print: no sign, no leading zero, so that equal ids are equal texts.
        .filter(|digits| {
            digits.bytes().all(|b| b.is_ascii_digit()) && (*digits == "0" || !digits.starts_with('0'))
        })
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| ParseIdError { text: text.chars().take(64).collect(), kind, prefix })
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                parse(text, $kind, $prefix).map($name)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let pattern = concat!("^", $prefix, "(0|[1-9][0-9]*)$");
                json_schema!({ "type": "string", "pattern": pattern })
            }
        }

        #[cfg(test)]
        impl ts_rs::TS for $name {
            type WithoutGenerics = Self;
            type OptionInnerType = Self;
            fn name(_: &ts_rs::Config) -> String {
                "string".to_owned()
            }
            fn inline(_: &ts_rs::Config) -> String {
                "string".to_owned()
            }
        }
    };
}

id!(
    /// A session: a named workspace of tabs.
    SessionId, "session", 's'
);
id!(
    /// A tab of a session: one tree of splits.
    TabId, "tab", 't'
);
id!(
    /// A pane: a leaf of a tab's tree, permanent until somebody closes it.
    PaneId, "pane", 'p'
);
id!(
    /// One client connection. Never reused while the gateway runs.
    ViewerId, "viewer", 'v'
);

impl ViewerId {
    /// Who asks for something without being a viewer. Viewers are counted from 1.
    pub const NOBODY: ViewerId = ViewerId(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_number_round_trip_and_kinds_do_not_mix() {
        assert_eq!("p12".parse::<PaneId>(), Ok(PaneId(12)));
        assert_eq!(PaneId(12).to_string(), "p12");
        for bad in ["", "p", "12", "t12", "p-1", "p+1", "p01", "p18446744073709551616", "p1 ", "é"] {
            assert!(bad.parse::<PaneId>().is_err(), "{bad:?}");
        }
    }
}
