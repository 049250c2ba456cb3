//! Names that people give: cleaned before anyone else sees them.

use std::collections::HashSet;

use super::error::LayoutError;
use super::limits::MAX_NAME_CHARS;

/// `raw` without control characters (a name ends up in terminals and titles) and outer white space.
pub(super) fn clean(raw: &str) -> Result<String, LayoutError> {
    let visible: String = raw.chars().filter(|c| !c.is_control()).collect();
    let name = visible.trim();
    if name.is_empty() {
        return Err(LayoutError::InvalidName { problem: "a name needs a visible character".to_owned() });
    }
    let chars = name.chars().count();
    if chars > MAX_NAME_CHARS {
        let problem = format!("a name has at most {MAX_NAME_CHARS} characters, this one {chars}");
        return Err(LayoutError::InvalidName { problem });
    }
    Ok(name.to_owned())
}

/// The smallest number from 1 that is not among the names taken.
pub(super) fn free_number<'a>(taken: impl Iterator<Item = &'a str>) -> String {
    let taken: HashSet<&str> = taken.collect();
    (1u64..).map(|number| number.to_string()).find(|name| !taken.contains(name.as_str())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_what_cannot_be_shown() {
        for (raw, clean_name) in [
            ("work", "work"),
            ("  two words\t", "two words"),
            ("\x1b]0;x\x07<script>", "]0;x<script>"),
            ("\u{85}über\u{7f}", "über"),
        ] {
            assert_eq!(clean(raw).as_deref(), Ok(clean_name), "{raw:?}");
        }
        for bad in ["", " ", "\n\x1b\0", " \u{9b} "] {
            assert_eq!(clean(bad).map_err(|error| error.code()), Err("invalid_name"), "{bad:?}");
        }
    }

    #[test]
    fn a_name_may_have_256_characters_whatever_their_bytes() {
        assert!(clean(&"é".repeat(256)).is_ok());
        assert!(clean(&"é".repeat(257)).is_err());
    }

    #[test]
    fn the_first_gap_is_the_free_number() {
        assert_eq!(free_number([].into_iter()), "1");
        assert_eq!(free_number(["1", "work", "3"].into_iter()), "2");
    }
}
