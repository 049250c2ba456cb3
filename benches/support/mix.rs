//! Terminal output of the kinds that programs print most: plain lines, coloured ones, full-screen frames, and a mix
//! of them like that of a build.

use std::fmt::Write;

/// How much one block holds, at least, in bytes. A block ends with a whole line.
const BLOCK_BYTES: usize = 1 << 20;

/// A kind of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Lines of text.
    Plain,
    /// Lines in colours, as a build's log.
    Coloured,
    /// One frame of a full-screen program after another.
    Frames,
    /// Plain lines, coloured ones, and now and then a frame.
    Mixed,
}

/// One block of the mix, the same on every call.
pub(crate) fn block() -> String {
    block_of(Kind::Mixed)
}

/// One block, the same on every call.
pub(crate) fn block_of(kind: Kind) -> String {
    let mut mix = Mix::new();
    let mut line = 0;
    while mix.text.len() < BLOCK_BYTES {
        line += 1;
        match kind {
            Kind::Plain => mix.plain(line),
            Kind::Coloured => mix.coloured(line),
            Kind::Frames => mix.screen(),
            Kind::Mixed => match mix.below(200) {
                0 => mix.screen(),
                1..=60 => mix.coloured(line),
                _ => mix.plain(line),
            },
        }
    }
    mix.text
}

/// How many bytes a block is once the terminal has put a carriage return before each newline.
pub(crate) fn block_wire_bytes() -> u64 {
    let block = block();
    (block.len() + block.bytes().filter(|&byte| byte == b'\n').count()) as u64
}

/// So many lines of a log, some of them coloured.
pub(crate) fn log_lines(count: u64) -> String {
    let mut mix = Mix::new();
    for line in 0..count {
        if line % 3 == 0 { mix.coloured(line) } else { mix.plain(line) }
    }
    mix.text
}

/// What a screen of 24 rows shows after some commands in a shell: coloured prompts, a listing and the like.
pub(crate) fn shell_screen() -> String {
    let mut mix = Mix::new();
    for command in 0..4 {
        let _ = write!(mix.text, "\x1b[1;32muser@host\x1b[0m:\x1b[1;34m~/src/project\x1b[0m$ list {command}");
        for file in 0..16 {
            let gap = if file % 4 == 0 { "\n" } else { "  " };
            let (size, colour) = (mix.below(9000), 31 + mix.below(6));
            let _ = write!(mix.text, "{gap}{size:>5} \x1b[0;{colour}mfile-{file}\x1b[0m");
        }
        mix.text.push('\n');
    }
    mix.text.push_str("\x1b[1;32muser@host\x1b[0m:\x1b[1;34m~/src/project\x1b[0m$ \n");
    mix.text
}

/// A frame like that of a process viewer: bars in colours, a heading, a table in which every column has its own.
pub(crate) fn process_screen() -> String {
    let mut mix = Mix::new();
    mix.text.push_str("\x1b[?1049h\x1b[?25l\x1b[H");
    for core in 0..4 {
        let busy = mix.below(40) as usize;
        let bar = "|".repeat(busy);
        let _ = write!(mix.text, "  \x1b[36m{core}\x1b[39m\x1b[1m[\x1b[0;32m{bar:<44}\x1b[90m{busy:>5}.0%");
        mix.text.push_str("\x1b[39m\x1b[1m]\x1b[0m\x1b[K\r\n");
    }
    let _ =
        write!(mix.text, "\x1b[30;42m{:<80}\x1b[0m\r\n", "  PID USER      PRI  NI  VIRT   RES S CPU% MEM%");
    for process in 0..18 {
        let (resident, share) = (mix.below(90_000), mix.below(100));
        let _ =
            write!(mix.text, "{:>5} \x1b[90mroot     \x1b[39m  20   0 \x1b[36m{resident:>6}", process * 37);
        let _ = write!(mix.text, "\x1b[39m \x1b[32mS\x1b[39m {share:>3}.0 \x1b[1m/usr/bin/\x1b[0;32mprogram");
        let _ = write!(mix.text, "\x1b[39m --of {process}\x1b[K\r\n");
    }
    mix.text.push_str("F1\x1b[30;46mHelp  \x1b[0mF2\x1b[30;46mSetup \x1b[0m");
    mix.text
}

/// The same as it comes through a terminal that puts a carriage return before each newline.
pub(crate) fn on_the_wire(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

struct Mix {
    text: String,
    /// The state of a xorshift generator: the mix must be the same on every machine.
    random: u64,
}

impl Mix {
    fn new() -> Mix {
        Mix { text: String::with_capacity(BLOCK_BYTES + (8 << 10)), random: 0x2545_F491_4F6C_DD1D }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % bound
    }

    fn words(&mut self, count: u64) {
        const WORDS: [&str; 12] = [
            "src/", "target", "linking", "gateway", "--cfg", "0x7ffe", "warning:", "crate", "unused", "of",
            "ok", "…",
        ];
        for _ in 0..count {
            let word = self.below(WORDS.len() as u64) as usize;
            self.text.push(' ');
            self.text.push_str(WORDS[word]);
        }
    }

    fn plain(&mut self, line: u64) {
        let _ = write!(self.text, "[{line:>6}]");
        let words = 4 + self.below(14);
        self.words(words);
        self.text.push('\n');
    }

    fn coloured(&mut self, line: u64) {
        let colour = 31 + self.below(6);
        let _ = write!(self.text, "\x1b[1;{colour}m   Compiling\x1b[0m unit-{line} \x1b[38;5;244m(");
        let words = 3 + self.below(6);
        self.words(words);
        self.text.push_str(" )\x1b[0m\n");
    }

    fn screen(&mut self) {
        self.text.push_str("\x1b[?25l\x1b[H");
        for row in 1..=24 {
            let (background, share) = (self.below(256), self.below(100));
            let _ = write!(self.text, "\x1b[{row};1H\x1b[48;5;{background}m {share:>3}% \x1b[0m");
            self.words(8);
            self.text.push_str("\x1b[K");
        }
        self.text.push_str("\x1b[?25h\n");
    }
}
