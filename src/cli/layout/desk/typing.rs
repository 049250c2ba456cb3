//! What is typed: to whom it goes, and what it does where it is ours.

use std::time::Instant;

use super::{Desk, Effect, MAX_BACKLOG, Mode, Prefix, REPEAT_FOR};
use crate::cli::layout::copy_keys::command_of;
use crate::cli::layout::key::{Code, Key, Motion};
use crate::cli::layout::keys::{action_of, repeats};
use crate::cli::layout::picker::Pick;
use crate::cli::layout::popup::help_len;
use crate::cli::layout::prompt::Answer;
use crate::cli::layout::stdin::{Kind, Piece};

impl Desk {
    /// A piece of input.
    pub(in crate::cli::layout) fn piece(&mut self, piece: Piece, now: Instant) -> Vec<Effect> {
        if self.change.is_some() {
            if self.backlog.len() < MAX_BACKLOG {
                self.backlog.push_back(piece);
            } else {
                self.say("too much was typed while the layout changes", now);
            }
            return Vec::new();
        }
        self.take(piece, now)
    }

    pub(super) fn take(&mut self, piece: Piece, now: Instant) -> Vec<Effect> {
        match piece.kind {
            Kind::Key => self.key(piece.bytes, now),
            Kind::Mouse(report) => self.mouse(report, now),
            Kind::Focus(focused) => self.focus(focused),
            Kind::PasteStart | Kind::Paste | Kind::PasteEnd => self.paste(piece, now),
        }
    }

    pub(super) fn focus(&mut self, focused: bool) -> Vec<Effect> {
        self.has_focus = true;
        let report = self.focus_report(self.pane, focused);
        self.has_focus = focused;
        report.into_iter().collect()
    }

    pub(super) fn key(&mut self, bytes: Vec<u8>, now: Instant) -> Vec<Effect> {
        let decoded = Key::decode(&bytes);
        if self.takes_keys() || self.prefix.is_some() {
            // Who is asked something has no use for a key that goes up.
            return match decoded {
                Some((key, Motion::Press)) => self.own_key(key, bytes, now),
                _ => Vec::new(),
            };
        }
        match decoded {
            Some((key, Motion::Press)) if key == self.settings.prefix => {
                self.prefix = Some(Prefix { since: now, bytes });
                Vec::new()
            }
            Some((key, Motion::Press)) if self.repeat_until.is_some_and(|until| now < until) => {
                match action_of(key).filter(|action| repeats(*action)) {
                    Some(action) => self.act(action, now),
                    None => {
                        self.repeat_until = None;
                        self.type_key(bytes, now)
                    }
                }
            }
            _ => self.type_key(bytes, now),
        }
    }

    /// Whether keys are not the focused pane's.
    pub(super) fn takes_keys(&self) -> bool {
        self.prompt.is_some() || !matches!(self.mode, Mode::Plain)
    }

    /// A key of the focused pane's program.
    pub(super) fn type_key(&mut self, bytes: Vec<u8>, now: Instant) -> Vec<Effect> {
        if self.settings.read_only {
            return self.refuse_to_change(now);
        }
        self.pane.map(|pane| Effect::Type { pane, bytes }).into_iter().collect()
    }

    pub(super) fn refuse_to_change(&mut self, now: Instant) -> Vec<Effect> {
        self.say("this is only for looking (--read-only)", now);
        Vec::new()
    }

    /// A key that is no pane's.
    pub(super) fn own_key(&mut self, key: Key, bytes: Vec<u8>, now: Instant) -> Vec<Effect> {
        if let Some(prefix) = self.prefix.take() {
            return self.after_prefix(key, prefix, now);
        }
        if let Some(prompt) = &mut self.prompt {
            let purpose = prompt.purpose;
            return match prompt.press(key) {
                Answer::Writing => Vec::new(),
                Answer::Cancelled => {
                    self.prompt = None;
                    Vec::new()
                }
                Answer::Done(text) => {
                    self.prompt = None;
                    self.written(purpose, &text, now)
                }
            };
        }
        if key == self.settings.prefix && matches!(self.mode, Mode::Copy { .. } | Mode::Numbers { .. }) {
            self.prefix = Some(Prefix { since: now, bytes });
            return Vec::new();
        }
        match &mut self.mode {
            Mode::Plain => Vec::new(),
            Mode::Copy { copy, .. } => match command_of(key, self.settings.editor) {
                Some(command) => {
                    let outcome = copy.command(command);
                    self.copy_outcome(outcome, now)
                }
                None => Vec::new(),
            },
            Mode::Confirm { message, .. } => {
                let message = message.clone();
                self.leave_mode();
                let yes = matches!(key.typed(), Some('y' | 'Y')) || key == Key::plain(Code::Enter);
                if yes { self.ask(message, now) } else { Vec::new() }
            }
            Mode::Pick(picker) => match picker.press(key) {
                Pick::Looking => Vec::new(),
                Pick::Cancelled => {
                    self.leave_mode();
                    Vec::new()
                }
                Pick::Picked(tab) => {
                    self.leave_mode();
                    self.show_tab(tab, now)
                }
            },
            Mode::Help { .. } => {
                self.help_key(key);
                Vec::new()
            }
            Mode::Numbers { .. } => {
                self.leave_mode();
                let number = key.typed().and_then(|char| char.to_digit(10));
                let pane =
                    number.and_then(|number| self.tiling.panes.get(number as usize)).map(|(pane, _)| *pane);
                pane.map(|pane| self.focus_on(pane, now)).unwrap_or_default()
            }
        }
    }

    pub(super) fn after_prefix(&mut self, key: Key, prefix: Prefix, now: Instant) -> Vec<Effect> {
        if key == self.settings.prefix {
            return self.type_key(prefix.bytes, now);
        }
        if matches!(key.code, Code::Escape) {
            return Vec::new();
        }
        match action_of(key) {
            Some(action) => {
                let effects = self.act(action, now);
                if repeats(action) {
                    self.repeat_until = Some(now + REPEAT_FOR);
                }
                effects
            }
            None => {
                let prefix = self.settings.prefix;
                self.say(format!("{key} does nothing after {prefix}; {prefix} ? lists the keys"), now);
                Vec::new()
            }
        }
    }

    pub(super) fn help_key(&mut self, key: Key) {
        let page = usize::from(self.size.rows.saturating_sub(3)).max(1);
        let last = help_len(self.settings.prefix).saturating_sub(page);
        let Mode::Help { first } = &mut self.mode else { return };
        match key.code {
            Code::Up | Code::Char('k') => *first = first.saturating_sub(1),
            Code::Down | Code::Char('j') => *first = (*first + 1).min(last),
            Code::PageUp => *first = first.saturating_sub(page),
            Code::PageDown | Code::Char(' ') => *first = (*first + page).min(last),
            Code::Home | Code::Char('g') => *first = 0,
            Code::End | Code::Char('G') => *first = last,
            _ => self.leave_mode(),
        }
    }

    pub(super) fn paste(&mut self, piece: Piece, now: Instant) -> Vec<Effect> {
        if let Some(prompt) = &mut self.prompt {
            if piece.kind == Kind::Paste {
                prompt.insert(&String::from_utf8_lossy(&piece.bytes));
            }
            return Vec::new();
        }
        if self.takes_keys() && self.pasting.is_none() {
            return Vec::new();
        }
        if piece.kind == Kind::PasteStart {
            if self.settings.read_only {
                return self.refuse_to_change(now);
            }
            self.pasting = self.pane;
        }
        let Some(pane) = self.pasting else { return Vec::new() };
        let marked = self.screens.get(&pane).is_some_and(|screen| screen.wants().bracketed_paste);
        let more = piece.kind != Kind::PasteEnd;
        if !more {
            self.pasting = None;
        }
        let bytes = if marked || piece.kind == Kind::Paste { piece.bytes } else { Vec::new() };
        if bytes.is_empty() && more { Vec::new() } else { vec![Effect::Paste { pane, bytes, more }] }
    }
}
