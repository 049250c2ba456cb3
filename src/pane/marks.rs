//! Where in a pane's output its shell says that prompts are shown and commands run (OSC 133), by offset in the log.
//! Counts begin at 0 with the gateway's start; what is read again of a program that outlived it counts again.

use std::collections::VecDeque;

use super::filter::Event;

/// How many of the newest commands are remembered.
const MAX_COMMANDS: usize = 16;

/// A command that the shell said it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command {
    /// Its place among the pane's commands, from 1.
    pub number: u64,
    /// Where its output begins: the offset after the mark that it starts.
    pub from: u64,
    /// Where its output ends: the offset after the mark that it ended, or else after what ended it; `None` while it
    /// runs.
    pub to: Option<u64>,
    /// Its exit code, if the shell told it.
    pub exit: Option<i32>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Marks {
    /// How many prompts were shown.
    prompts: u64,
    /// Whether one is shown, and no command was started at it.
    at_prompt: bool,
    /// Whether the live program has sent any mark.
    marked: bool,
    /// How many commands were started.
    started: u64,
    /// The newest, oldest first.
    commands: VecDeque<Command>,
    /// The offset after the newest mark that a prompt begins.
    prompted_at: u64,
    /// What the shell said last of how a command ended.
    exit: Option<i32>,
    /// The first command of the run under way, which is remembered however many follow it.
    run: Option<u64>,
}

impl Marks {
    /// How many prompts were shown. One that is drawn again counts once.
    #[must_use]
    pub fn prompts(&self) -> u64 {
        self.prompts
    }

    /// Whether the shell shows its prompt and runs nothing.
    #[must_use]
    pub fn at_prompt(&self) -> bool {
        self.at_prompt
    }

    /// Whether the live program has sent marks.
    #[must_use]
    pub fn are_sent(&self) -> bool {
        self.marked
    }

    /// The offset after the mark that the newest prompt begins; 0 if there was none.
    #[must_use]
    pub fn prompted_at(&self) -> u64 {
        self.prompted_at
    }

    /// Whether a command runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.commands.back().is_some_and(|command| command.to.is_none())
    }

    /// The exit code that the shell told last.
    #[must_use]
    pub fn exit(&self) -> Option<i32> {
        self.exit
    }

    /// How many commands were started.
    #[must_use]
    pub fn started(&self) -> u64 {
        self.started
    }

    /// The newest commands, at most 16, oldest first.
    pub fn commands(&self) -> impl DoubleEndedIterator<Item = &Command> {
        self.commands.iter()
    }

    /// Somebody is about to run commands and wants all of them back. Whether nobody else is.
    #[must_use]
    pub fn begin_run(&mut self) -> bool {
        let free = self.run.is_none();
        self.run.get_or_insert(self.started + 1);
        free
    }

    /// It has come to an end.
    pub fn end_run(&mut self) {
        self.run = None;
    }

    /// Takes in what the output says at an offset.
    pub fn take(&mut self, event: &Event, offset: u64) {
        match event {
            Event::PromptStart | Event::PromptEnd => self.prompt(offset),
            Event::CommandStart => self.start(offset),
            Event::CommandEnd { exit } => {
                self.end_command(offset, *exit);
                (self.at_prompt, self.exit) = (false, *exit);
            }
            _ => return,
        }
        self.marked = true;
    }

    fn prompt(&mut self, offset: u64) {
        self.end_command(offset, None);
        if !self.at_prompt {
            self.at_prompt = true;
            self.prompts += 1;
            self.prompted_at = offset;
        }
    }

    fn start(&mut self, offset: u64) {
        self.end_command(offset, None);
        self.at_prompt = false;
        self.started += 1;
        self.commands.push_back(Command { number: self.started, from: offset, to: None, exit: None });
        if self.commands.len() > MAX_COMMANDS {
            let first = self.commands.front().map(|command| command.number);
            self.commands.remove(usize::from(first.is_some() && first == self.run));
        }
    }

    fn end_command(&mut self, offset: u64, exit: Option<i32>) {
        if let Some(command) = self.commands.back_mut().filter(|command| command.to.is_none()) {
            (command.to, command.exit) = (Some(offset), exit);
        }
    }

    /// The program ended, where the log ends at `offset`: the next one has to send marks anew.
    pub fn end(&mut self, offset: u64) {
        self.end_command(offset, None);
        (self.at_prompt, self.marked, self.exit) = (false, false, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(events: &[Event]) -> Marks {
        let mut marks = Marks::default();
        events.iter().zip(1..).for_each(|(event, offset)| marks.take(event, offset));
        marks
    }

    #[test]
    fn prompts_count_once_however_often_they_are_drawn() {
        use Event::{CommandEnd, CommandStart, PromptEnd, PromptStart};
        let count = |events: &[Event]| taken(events).prompts();
        assert_eq!(count(&[PromptStart, PromptEnd, PromptStart, PromptEnd]), 1);
        assert_eq!(count(&[PromptEnd, PromptEnd]), 1, "a shell that says only where it ends");
        assert_eq!(count(&[PromptStart, CommandStart, CommandEnd { exit: None }, PromptStart]), 2);
        assert_eq!(count(&[PromptStart, CommandStart, PromptStart]), 2, "no word of the command's end");
        assert_eq!(count(&[PromptStart, CommandEnd { exit: None }, PromptStart]), 2, "an empty line");
        let between = taken(&[PromptStart, CommandStart, CommandEnd { exit: None }]);
        assert!(!between.at_prompt() && between.are_sent());
    }

    #[test]
    fn commands_have_their_place_in_the_output() {
        use Event::{CommandEnd, CommandStart, PromptStart};
        let mut marks =
            taken(&[PromptStart, CommandStart, CommandEnd { exit: Some(3) }, PromptStart, CommandStart]);
        let commands: Vec<_> = marks.commands().copied().collect();
        assert_eq!(commands[0], Command { number: 1, from: 2, to: Some(3), exit: Some(3) });
        assert_eq!(commands[1], Command { number: 2, from: 5, to: None, exit: None });
        assert_eq!((marks.prompted_at(), marks.started()), (4, 2));
        marks.end(9);
        assert_eq!(marks.commands().next_back().map(|command| command.to), Some(Some(9)));
        assert!(!marks.at_prompt() && !marks.are_sent());
    }

    #[test]
    fn the_newest_commands_are_remembered_and_the_first_of_a_run() {
        let mut marks = Marks::default();
        let numbers = |marks: &Marks| marks.commands().map(|command| command.number).collect::<Vec<_>>();
        (0..40).for_each(|offset| marks.take(&Event::CommandStart, offset));
        assert_eq!(numbers(&marks), (25..=40).collect::<Vec<_>>());
        assert!(marks.begin_run() && !marks.begin_run(), "one at a time");
        (40..80).for_each(|offset| marks.take(&Event::CommandStart, offset));
        assert_eq!((numbers(&marks)[0], marks.commands.len()), (41, MAX_COMMANDS));
        marks.end_run();
        (80..100).for_each(|offset| marks.take(&Event::CommandStart, offset));
        assert_eq!(numbers(&marks), (85..=100).collect::<Vec<_>>());
        assert!(marks.begin_run());
    }
}
