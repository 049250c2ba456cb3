//! Terminal output like that of a build: plain lines, coloured ones, and now and then a full-screen frame.

use std::fmt::Write;

/// How much of the mix one block holds, at least, in bytes. A block ends with a whole line.
const BLOCK_BYTES: usize = 1 << 20;

/// One block, the same on every call.
pub(crate) fn block() -> String {
    let mut mix = Mix { text: String::with_capacity(BLOCK_BYTES + (8 << 10)), random: 0x2545_F491_4F6C_DD1D };
    let mut line = 0;
    while mix.text.len() < BLOCK_BYTES {
        line += 1;
        match mix.below(200) {
            0 => mix.screen(),
            1..=60 => mix.coloured(line),
            _ => mix.plain(line),
        }
    }
    mix.text
}

/// How many bytes a block is once the terminal has put a carriage return before each newline.
pub(crate) fn block_wire_bytes() -> u64 {
    let block = block();
    (block.len() + block.bytes().filter(|&byte| byte == b'\n').count()) as u64
}

struct Mix {
    text: String,
    /// The state of a xorshift generator: the mix must be the same on every machine.
    random: u64,
}

impl Mix {
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
