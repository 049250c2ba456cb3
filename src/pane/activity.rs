//! What a pane's program tells people about itself through its output: what the shell is doing, how far a job is,
//! what is worth a look. State, not events: whoever looks later learns it too, and nothing happens twice.

use super::filter::{Event, Progress as Told};
use crate::protocol::server::{Notification, Progress, ProgressState, ShellState};

/// See the module.
#[derive(Debug, Default)]
pub struct Activity {
    shell: Option<ShellState>,
    /// The command line that was told before its command started.
    command: Option<String>,
    progress: Option<Progress>,
    notification: Option<Notification>,
    /// How many notifications there were.
    notifications: u64,
}

impl Activity {
    /// What its shell is doing, if it tells.
    #[must_use]
    pub fn shell(&self) -> Option<&ShellState> {
        self.shell.as_ref()
    }

    /// How far its program is.
    #[must_use]
    pub fn progress(&self) -> Option<Progress> {
        self.progress
    }

    /// The last notification.
    #[must_use]
    pub fn notification(&self) -> Option<&Notification> {
        self.notification.as_ref()
    }

    /// Takes in what the output says, at a time in milliseconds since the Unix epoch. Whether that is news.
    pub fn take(&mut self, event: Event, at: u64) -> bool {
        match event {
            Event::CommandLine(command) => {
                self.command = Some(command);
                return false;
            }
            Event::CommandStart => {
                let exit = self.shell.take().and_then(|shell| shell.exit);
                self.shell =
                    Some(ShellState { running: true, exit, command: self.command.take(), since: at });
            }
            Event::CommandEnd { exit } => {
                let command = self.shell.take().and_then(|shell| shell.command);
                self.shell = Some(ShellState { running: false, exit, command, since: at });
                // What the command said of its progress ends with it.
                self.progress = None;
            }
            Event::PromptStart => return self.prompt(at),
            Event::Progress(told) => {
                let progress = progress(told, self.progress);
                return std::mem::replace(&mut self.progress, progress) != progress;
            }
            Event::Notification { title, body } => {
                self.notifications += 1;
                self.notification = Some(Notification { number: self.notifications, title, body, at });
            }
            _ => return false,
        }
        true
    }

    /// The shell shows its prompt: whatever ran has ended, also if nobody said how.
    fn prompt(&mut self, at: u64) -> bool {
        let waits = self.shell.as_ref().is_some_and(|shell| !shell.running);
        if !waits {
            let command = self.shell.take().and_then(|shell| shell.command);
            self.shell = Some(ShellState { running: false, exit: None, command, since: at });
            self.progress = None;
        }
        !waits
    }

    /// The program ended: nothing runs any more. The last notification stays to be read.
    pub fn end(&mut self) {
        (self.shell, self.command, self.progress) = (None, None, None);
    }
}

/// What is to be shown. Where a program does not say how far it is, that is what it said last.
fn progress(told: Told, before: Option<Progress>) -> Option<Progress> {
    let last = || before.map_or(0, |before| before.percent);
    let (state, percent) = match told {
        Told::None => return None,
        Told::Normal { percent } => (ProgressState::Normal, percent),
        Told::Error { percent } => (ProgressState::Error, percent.unwrap_or_else(last)),
        Told::Indeterminate => (ProgressState::Indeterminate, last()),
        Told::Paused { percent } => (ProgressState::Paused, percent.unwrap_or_else(last)),
    };
    Some(Progress { state, percent })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(running: bool, exit: Option<i32>, command: Option<&str>, since: u64) -> ShellState {
        ShellState { running, exit, command: command.map(str::to_owned), since }
    }

    #[test]
    fn commands_run_and_end() {
        let mut activity = Activity::default();
        assert_eq!(activity.shell(), None, "a shell without marks tells nothing");
        assert!(activity.take(Event::PromptStart, 1));
        assert!(!activity.take(Event::PromptStart, 2), "a prompt that is drawn again");
        assert!(!activity.take(Event::CommandLine("make".to_owned()), 3));
        assert!(activity.take(Event::CommandStart, 4));
        assert_eq!(activity.shell(), Some(&shell(true, None, Some("make"), 4)));
        assert!(activity.take(Event::CommandEnd { exit: Some(2) }, 5));
        assert_eq!(activity.shell(), Some(&shell(false, Some(2), Some("make"), 5)));
        assert!(!activity.take(Event::PromptStart, 6), "the exit code stays");
        assert!(activity.take(Event::CommandStart, 7));
        assert_eq!(activity.shell(), Some(&shell(true, Some(2), None, 7)));
        assert!(activity.take(Event::PromptStart, 8), "a shell that does not tell how it ended");
        assert_eq!(activity.shell(), Some(&shell(false, None, None, 8)));
        activity.end();
        assert_eq!(activity.shell(), None);
    }

    #[test]
    fn progress_keeps_its_percentage_and_ends_with_the_command() {
        let mut activity = Activity::default();
        assert!(activity.take(Event::Progress(Told::Normal { percent: 40 }), 1));
        assert!(!activity.take(Event::Progress(Told::Normal { percent: 40 }), 2));
        assert!(activity.take(Event::Progress(Told::Error { percent: None }), 3));
        assert_eq!(activity.progress(), Some(Progress { state: ProgressState::Error, percent: 40 }));
        assert!(activity.take(Event::CommandEnd { exit: None }, 4));
        assert_eq!(activity.progress(), None);
        assert!(activity.take(Event::Progress(Told::Indeterminate), 5));
        assert!(activity.take(Event::Progress(Told::None), 6));
        assert!(!activity.take(Event::Progress(Told::None), 7));
    }

    #[test]
    fn notifications_are_numbered() {
        let mut activity = Activity::default();
        let notify = |body: &str| Event::Notification { title: String::new(), body: body.to_owned() };
        assert!(activity.take(notify("one"), 1) && activity.take(notify("one"), 2));
        activity.end();
        let last = activity.notification().unwrap();
        assert_eq!((last.number, last.body.as_str(), last.at), (2, "one", 2));
    }
}
