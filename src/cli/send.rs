//! `everpane send`: types into a pane.

use std::io::{self, Read};
use std::process::ExitCode;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches};

use super::api::Api;
use super::condition;
use super::duration::{as_ms, seconds};
use super::failure::{Failure, Kind};
use super::target::{default_target, pane_path};
use super::verb::{Common, Manner, Verb};
use super::wait::{DEFAULT_TIMEOUT, wait};
use crate::protocol::api::{InputPart, InputRequest, InputTaken, WaitRequest};

/// The most that is read from stdin, in bytes; a pane holds far less.
const MAX_STDIN: u64 = 16 << 20;

const EXAMPLES: &str = "\
Examples:
  everpane send work:build 'cargo test' --enter
      Types that and the enter key.
  everpane send p1 --key ctrl-c --key up --enter
      Keys by their names: enter, tab, escape, ctrl-c, alt-f, shift-tab, up, page-up, f5 …
  everpane send p1 :w --key enter -- -x
      Text and keys arrive in the order in which they stand; after -- all is text.
  everpane send p1 ./serve --enter --wait text=listening
      Waits for what comes after that, and never for what was there before.
  printf 'a\\tb' | everpane send p1 --stdin
      Bytes as they are. `everpane paste` is for text that no program should take for keys.";

/// What `send` can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES, override_usage = "everpane send [OPTIONS] TARGET [TEXT]…\n       everpane send [OPTIONS] -t TARGET [TEXT]…")]
pub(super) struct Args {
    #[command(flatten)]
    typed: Typed,
    /// The pane; then all words are text
    #[arg(short, long, value_name = "TARGET")]
    target: Option<String>,
    /// Then the enter key
    #[arg(short, long)]
    enter: bool,
    /// Then what is on stdin, as it is (before the enter key)
    #[arg(long)]
    stdin: bool,
    /// Then wait, for what comes after it: text=…, regex=…, prompt, exit, idle, idle=500ms
    #[arg(long, value_name = "CONDITION")]
    wait: Option<String>,
    /// How long to wait at most: 500ms, 30s, 2m, 1h
    #[arg(long, value_name = "TIME", default_value = DEFAULT_TIMEOUT, value_parser = seconds)]
    timeout: Duration,
    #[command(flatten)]
    common: Common,
}

impl Verb for Args {
    fn common(&self) -> &Common {
        &self.common
    }

    fn run(&self, api: &Api, manner: Manner) -> Result<ExitCode, Failure> {
        let condition = self.wait.as_deref().map(|text| condition::parse(text, None)).transpose()?;
        let (target, mut parts) = self.typed.split(self.target.as_deref());
        if self.stdin {
            parts.push(part_of(read_stdin(MAX_STDIN)?));
        }
        if self.enter {
            parts.push(InputPart::Key("enter".to_owned()));
        }
        if parts.is_empty() {
            return Err(Failure::new(Kind::Usage, "there is nothing to send")
                .hint("everpane send TARGET TEXT --enter; or --key NAME, or --stdin"));
        }
        let taken = input(api, &target, &InputRequest { parts, paste: false })?;
        let Some((what, _)) = condition else { return shown(&taken, manner) };
        let request = WaitRequest {
            what,
            since: Some(taken.offset),
            since_prompt: Some(taken.prompts),
            timeout_ms: Some(as_ms(self.timeout)),
        };
        wait(api, &target, &request, manner)
    }
}

/// Hands `request` to a pane.
pub(super) fn input(api: &Api, target: &str, request: &InputRequest) -> Result<InputTaken, Failure> {
    api.post(&format!("{}/input", pane_path(target)), request)
}

/// Shows what became of input. Nothing, to people, unless nobody reads it yet.
pub(super) fn shown(taken: &InputTaken, manner: Manner) -> Result<ExitCode, Failure> {
    if !taken.delivered {
        manner.say("no program takes it now; it is held until one does");
    }
    manner.show(taken, |_| String::new())
}

/// All of stdin, if it is no more than that.
pub(super) fn read_stdin(limit: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    io::stdin().lock().take(limit + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > limit {
        true => Err(Failure::new(Kind::Usage, format!("stdin holds more than {limit} bytes"))),
        false => Ok(bytes),
    }
}

/// Text where it is text, so that it can be read in a log.
pub(super) fn part_of(bytes: Vec<u8>) -> InputPart {
    match String::from_utf8(bytes) {
        Ok(text) => InputPart::Text(text),
        Err(error) => InputPart::Base64(STANDARD.encode(error.into_bytes())),
    }
}

/// Words and keys, in the order of the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Typed(Vec<InputPart>);

impl Typed {
    /// The target, which is the first word unless an option names it, and the rest. Words side by side are one text, with
    /// a space between them.
    fn split(&self, option: Option<&str>) -> (String, Vec<InputPart>) {
        let mut target = option.map(str::to_owned);
        let mut parts: Vec<InputPart> = Vec::new();
        for part in &self.0 {
            match (part, parts.last_mut()) {
                (InputPart::Text(word), _) if target.is_none() => target = Some(word.clone()),
                (InputPart::Text(word), Some(InputPart::Text(text))) => {
                    text.push(' ');
                    text.push_str(word);
                }
                _ => parts.push(part.clone()),
            }
        }
        (target.unwrap_or_else(default_target), parts)
    }
}

impl clap::Args for Typed {
    fn augment_args(command: Command) -> Command {
        let words = Arg::new("words").value_name("TEXT").num_args(0..).action(ArgAction::Append).help(
            "The pane (an id, a name or session:tab.pane), then what to type; words are joined by spaces",
        );
        let keys = Arg::new("keys")
            .short('k')
            .long("key")
            .value_name("NAME")
            .action(ArgAction::Append)
            .help("A key, where it stands among the words; again for more");
        command.arg(words).arg(keys)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Typed {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let of = |id: &str, part: fn(String) -> InputPart| {
            let values = matches.get_many::<String>(id).into_iter().flatten().cloned();
            let places = matches.indices_of(id).into_iter().flatten();
            places.zip(values.map(part)).collect::<Vec<_>>()
        };
        let mut all = [of("words", InputPart::Text), of("keys", InputPart::Key)].concat();
        all.sort_by_key(|(place, _)| *place);
        Ok(Self(all.into_iter().map(|(_, part)| part).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Args as _;

    use super::*;

    fn split(line: &[&str], option: Option<&str>) -> (String, Vec<InputPart>) {
        let command = Typed::augment_args(Command::new("send"));
        let words = [&["send"], line].concat();
        Typed::from_arg_matches(&command.get_matches_from(words)).unwrap().split(option)
    }

    fn text(text: &str) -> InputPart {
        InputPart::Text(text.to_owned())
    }

    fn key(name: &str) -> InputPart {
        InputPart::Key(name.to_owned())
    }

    #[test]
    fn words_and_keys_keep_their_order() {
        let line = ["p1", "a", "b", "-k", "tab", "c", "--key=up", "--", "-d"];
        let wanted = vec![text("a b"), key("tab"), text("c"), key("up"), text("-d")];
        assert_eq!(split(&line, None), ("p1".to_owned(), wanted));
    }

    #[test]
    fn the_first_word_is_the_target_unless_an_option_names_it() {
        assert_eq!(split(&["-k", "up", "p1"], None), ("p1".to_owned(), vec![key("up")]));
        assert_eq!(split(&["p1", "x"], Some("p2")), ("p2".to_owned(), vec![text("p1 x")]));
    }

    #[test]
    fn bytes_that_are_no_text_are_sent_all_the_same() {
        assert_eq!(part_of(b"a\tb".to_vec()), text("a\tb"));
        assert_eq!(part_of(vec![0xff, 0x00]), InputPart::Base64("/wA=".to_owned()));
    }
}
