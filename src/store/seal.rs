//! The first line of every file of ours, by which a whole file is told from a damaged one:
//!
//! ```text
//! everpane-state 1 5f0c2a11 1234
//! └ magic        │ │        └ numbers; the payload follows the line
//!                │ └ CRC-32 of everything after it, to the end of the file
//!                └ format version
//! ```

use crc32fast::Hasher;

/// The format version that this program writes, and the newest that it reads.
const VERSION: u64 = 1;

/// Longer than any header line that we write, so that garbage is not searched to its end.
const MAX_HEADER: usize = 160;

/// Why the bytes of a file are not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// A later program wrote it.
    Newer {
        /// Its format version.
        version: u64,
    },
    /// It is cut short, altered, or no file of this kind.
    Damaged {
        /// What is wrong, to follow "because".
        reason: String,
    },
}

impl Unreadable {
    pub(super) fn damaged(reason: impl Into<String>) -> Unreadable {
        Unreadable::Damaged { reason: reason.into() }
    }
}

/// The header line for `payload`.
pub(super) fn header(magic: &str, numbers: &[u64], payload: &[&[u8]]) -> Vec<u8> {
    let mut tail: String = numbers.iter().map(|number| format!(" {number}")).collect();
    tail.push('\n');
    let mut crc = Hasher::new();
    crc.update(tail.as_bytes());
    for part in payload {
        crc.update(part);
    }
    format!("{magic} {VERSION} {:08x}{tail}", crc.finalize()).into_bytes()
}

/// The numbers and the payload of a file, if it is as it was written.
pub(super) fn open<'a, const N: usize>(
    magic: &str,
    file: &'a [u8],
) -> Result<([u64; N], &'a [u8]), Unreadable> {
    let after_magic = file
        .strip_prefix(magic.as_bytes())
        .and_then(|rest| rest.strip_prefix(b" "))
        .ok_or_else(|| Unreadable::damaged(format!("it does not begin with `{magic}`")))?;
    // Before anything else is looked at: only this much of the line is promised to stay the same.
    let (version, rest) = split_word(after_magic).ok_or_else(|| Unreadable::damaged("it has no version"))?;
    match version.parse() {
        Ok(VERSION) => {}
        Ok(version) if version > VERSION => return Err(Unreadable::Newer { version }),
        _ => return Err(Unreadable::damaged("its version is no version")),
    }
    let (crc, sealed) =
        rest.split_at_checked(8).ok_or_else(|| Unreadable::damaged("its header is cut short"))?;
    let crc = std::str::from_utf8(crc).ok().and_then(|hex| u32::from_str_radix(hex, 16).ok());
    if crc != Some(crc32fast::hash(sealed)) {
        return Err(Unreadable::damaged(format!(
            "its checksum does not match ({} bytes are there): it was cut short or altered",
            file.len()
        )));
    }
    numbers(sealed).ok_or_else(|| Unreadable::damaged("its header has the wrong numbers"))
}

/// The text up to the next space of a header, and what follows the space.
fn split_word(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().take(MAX_HEADER).position(|&byte| byte == b' ')?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]))
}

/// ` 1 2 3\n` and the payload behind it; `None` unless exactly `N` numbers are there.
fn numbers<const N: usize>(sealed: &[u8]) -> Option<([u64; N], &[u8])> {
    let end = sealed.iter().take(MAX_HEADER).position(|&byte| byte == b'\n')?;
    let line = std::str::from_utf8(&sealed[..end]).ok()?;
    let numbers: Vec<u64> = line.split_whitespace().map(|word| word.parse().ok()).collect::<Option<_>>()?;
    Some((numbers.try_into().ok()?, &sealed[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sealed() -> Vec<u8> {
        [header("x-test", &[7, u64::MAX], &[b"pay", b"load"]), b"payload".to_vec()].concat()
    }

    #[test]
    fn what_was_sealed_opens() {
        let file = sealed();
        assert_eq!(open::<2>("x-test", &file), Ok(([7, u64::MAX], b"payload".as_slice())));
        assert!(matches!(open::<3>("x-test", &file), Err(Unreadable::Damaged { .. })));
        assert!(matches!(open::<2>("y-test", &file), Err(Unreadable::Damaged { .. })));
    }

    #[test]
    fn every_cut_and_every_changed_byte_is_found() {
        let file = sealed();
        for cut in 0..file.len() {
            assert!(matches!(open::<2>("x-test", &file[..cut]), Err(Unreadable::Damaged { .. })), "{cut}");
        }
        for at in 0..file.len() {
            let mut changed = file.clone();
            changed[at] ^= 0x10;
            assert!(open::<2>("x-test", &changed).is_err(), "{at}");
        }
        assert!(open::<2>("x-test", &[file, b"!".to_vec()].concat()).is_err());
    }

    #[test]
    fn a_newer_version_is_told_from_damage_whatever_its_line_looks_like() {
        for (file, version) in [("x-test 2 what follows may be anything", 2), ("x-test 10 ", 10)] {
            assert_eq!(open::<2>("x-test", file.as_bytes()), Err(Unreadable::Newer { version }));
        }
        for file in ["x-test 0 00000000 1 2\n", "x-test -2 ", "x-test 2", "x-test  "] {
            assert!(
                matches!(open::<2>("x-test", file.as_bytes()), Err(Unreadable::Damaged { .. })),
                "{file}"
            );
        }
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200), magic: bool) {
            if magic {
                bytes.splice(0..0, *b"x-test 1 ");
            }
            let opened = open::<1>("x-test", &bytes);
            prop_assert!(opened.is_err(), "{:?}", opened);
        }
    }
}
