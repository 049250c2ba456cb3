//! All that is wrong with a config file, where loading it stops at the first thing: what is at fault is taken out, and the
//! rest is looked at again.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Serialize;
use toml::de::{DeTable, DeValue};

use super::{Config, ConfigError, Overrides, Surroundings, file};

/// How many are told at most: more are of no use at a time.
const MAX_PROBLEMS: usize = 100;

/// Something that is wrong with a config file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigProblem {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1; none if it is not about one.
    pub line: Option<usize>,
    /// What is wrong there, in a line.
    pub message: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file.display(), self.message),
            None => write!(f, "{}: {}", self.file.display(), self.message),
        }
    }
}

impl ConfigProblem {
    /// One with the value of `key`, a dotted path, which others look at than [`problems`] does.
    #[must_use]
    pub fn with_value(file: &Path, key: &str, message: String) -> ConfigProblem {
        let line = std::fs::read_to_string(file).ok().and_then(|text| line_of_key(key, &text));
        ConfigProblem { file: file.to_owned(), line, message }
    }
}

/// What keeps `serve` from starting with the file at `path`, in the order of its lines.
///
/// # Errors
/// When it can't be read.
pub fn problems(path: &Path, surroundings: &Surroundings) -> Result<Vec<ConfigProblem>, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { file: path.to_owned(), source })?;
    let mut found = problems_in(path, text, surroundings);
    found.sort_by_key(|problem| problem.line.unwrap_or(usize::MAX));
    Ok(found)
}

fn problems_in(path: &Path, mut text: String, surroundings: &Surroundings) -> Vec<ConfigProblem> {
    let mut found = Vec::new();
    while found.len() < MAX_PROBLEMS {
        let Err(error) = understood(path, &text, surroundings) else { break };
        let line = line_of(&error, &text);
        found.push(ConfigProblem { file: path.to_owned(), line, message: message(&error) });
        let Some(statement) = line.and_then(|line| statement_at(&text, line)) else { break };
        blank(&mut text, statement);
        if DeTable::parse(&text).is_err() {
            break;
        }
    }
    found
}

fn understood(path: &Path, text: &str, surroundings: &Surroundings) -> Result<Config, ConfigError> {
    Config::merge(file::parse(path, text)?, Overrides::default(), surroundings)?.resolve(surroundings)
}

/// What is wrong, without the place.
fn message(error: &ConfigError) -> String {
    match error {
        ConfigError::Invalid { message, .. } => message.clone(),
        ConfigError::UnknownKey { key, nearest, .. } => {
            format!("there is no setting `{key}`; did you mean `{nearest}`?")
        }
        ConfigError::Token(why) => format!("{error}: {why}"),
        error => error.to_string(),
    }
}

/// The line that is at fault, counted from 1.
fn line_of(error: &ConfigError, text: &str) -> Option<usize> {
    match error {
        ConfigError::Invalid { line, .. } | ConfigError::UnknownKey { line, .. } => Some(*line),
        ConfigError::Value { key, .. } => line_of_key(key, text),
        _ => None,
    }
}

fn line_of_key(key: &str, text: &str) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    Some(file::line_of(text, offset_of(document.get_ref(), key)?))
}

/// Where the key is, or else the table that it would be in.
fn offset_of(table: &DeTable<'_>, key: &str) -> Option<usize> {
    let below = |name: &str| match key.strip_prefix(name)? {
        "" => Some(""),
        rest => rest.strip_prefix('.'),
    };
    table.iter().find_map(|(name, value)| {
        let rest = below(name.get_ref())?;
        let inner = match value.get_ref() {
            DeValue::Table(inner) => offset_of(inner, rest),
            _ => None,
        };
        Some(inner.unwrap_or(name.span().start))
    })
}

/// The bytes of the statement that `line` is part of: a key with its value, or a table from its heading to the next.
fn statement_at(text: &str, line: usize) -> Option<Range<usize>> {
    let start_of = |line: usize| text.split_inclusive('\n').take(line - 1).map(str::len).sum::<usize>();
    let is_heading = |line: &str| line.trim_start().starts_with('[');
    if text.lines().nth(line - 1).is_some_and(is_heading) {
        let lines = text.split_inclusive('\n').skip(line);
        let rest: usize = lines.take_while(|line| !is_heading(line)).map(str::len).sum();
        return Some(start_of(line)..start_of(line + 1) + rest);
    }
    let document = DeTable::parse(text).ok()?;
    let mut entries = Vec::new();
    collect(document.get_ref(), &mut entries);
    let covers = |entry: &Range<usize>| {
        (file::line_of(text, entry.start)..=file::line_of(text, entry.end)).contains(&line)
            && !text[..entry.end].lines().nth(file::line_of(text, entry.start) - 1).is_some_and(is_heading)
    };
    entries.into_iter().filter(covers).min_by_key(|entry| entry.start)
}

/// From each key to the end of its value, those of inner tables as well.
fn collect(table: &DeTable<'_>, entries: &mut Vec<Range<usize>>) {
    for (name, value) in table {
        entries.push(name.span().start..value.span().end.max(name.span().end));
        if let DeValue::Table(inner) = value.get_ref() {
            collect(inner, entries);
        }
    }
}

/// Takes a part out of `text` without moving a line.
fn blank(text: &mut String, part: Range<usize>) {
    let lines = text[part.clone()].bytes().filter(|byte| *byte == b'\n').count();
    text.replace_range(part, &"\n".repeat(lines));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<(Option<usize>, String)> {
        let pairs = [("HOME", "/"), ("SHELL", "/bin/sh"), ("PATH", "/usr/bin:/bin")];
        let variables = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let surroundings = Surroundings { variables, ..Surroundings::default() };
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("everpane.toml");
        std::fs::write(&path, text).unwrap();
        let found = problems(&path, &surroundings).unwrap();
        found.into_iter().map(|problem| (problem.line, problem.message)).collect()
    }

    #[test]
    fn a_good_file_has_none() {
        assert_eq!(of(""), []);
        assert_eq!(of("listen = \"127.0.0.1:1\"\n[input]\nheld_secs = 5\n"), []);
    }

    #[test]
    fn every_problem_is_told_with_its_line() {
        let text = "\
lisen = \"127.0.0.1:1\"
cwd = \"/nowhere/at/all\"
allowed_hosts = [
  \"fine\",
  5,
]

[input]
held_secs = 0
held_bytes = \"many\"
[colours]
red = 1
[limits]
viewers = -1
wiewers = 2
";
        let found = of(text);
        let lines: Vec<_> = found.iter().map(|(line, _)| line.unwrap()).collect();
        assert_eq!(lines, [1, 2, 5, 9, 10, 11, 14, 15], "{found:#?}");
        assert!(found[0].1.contains("did you mean `listen`"));
        assert!(found[3].1.contains("input.held_secs = 0"));
    }

    #[test]
    fn nothing_is_made_up_after_what_cannot_be_read() {
        assert_eq!(of("listen = \n[input]\nheld_secs = 0\n").len(), 1);
        assert_eq!(of("input = { held_secs = 0, held_bytes = 1 }\nlisen = 1").len(), 2, "one per statement");
    }
}
