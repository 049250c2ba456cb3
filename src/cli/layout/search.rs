//! Finding text on a page, also where a line was wrapped in the middle of it.

use super::page::{Page, Place};

/// Where it was found: first and last place.
pub(super) type Match = (Place, Place);

/// What was searched for, and all that was found.
#[derive(Debug, Clone)]
pub(super) struct Search {
    pub(super) wanted: String,
    /// Whether the next one is towards the end.
    pub(super) forward: bool,
    /// In reading order.
    pub(super) matches: Vec<Match>,
}

impl Search {
    /// Looks for all of it. Capital letters matter if there are some in what is wanted.
    pub(super) fn new(page: &Page, wanted: &str, forward: bool) -> Search {
        let exact = wanted.chars().any(char::is_uppercase);
        let fold = |char: char| if exact { char } else { char.to_lowercase().next().unwrap_or(char) };
        let pattern: Vec<char> = wanted.chars().map(fold).collect();
        let mut search = Search { wanted: wanted.to_owned(), forward, matches: Vec::new() };
        let mut line: Vec<(char, Place)> = Vec::new();
        for (row, cells) in page.lines.iter().enumerate() {
            if !cells.continues {
                search.find(&line, &pattern);
                line.clear();
            }
            for (col, cell) in cells.cells.iter().enumerate() {
                line.extend(cell.symbol().chars().map(|char| (fold(char), Place { row, col })));
            }
        }
        search.find(&line, &pattern);
        search
    }

    /// Where the next match from a place begins; after the last comes the first.
    pub(super) fn next(&self, from: Place, forward: bool) -> Option<Place> {
        let mut starts = self.matches.iter().map(|(start, _)| *start);
        if forward {
            starts.clone().find(|start| *start > from).or(starts.next())
        } else {
            starts.clone().rev().find(|start| *start < from).or(starts.next_back())
        }
    }

    fn find(&mut self, line: &[(char, Place)], pattern: &[char]) {
        if pattern.is_empty() {
            return;
        }
        let mut at = 0;
        while let Some(window) = line.get(at..at + pattern.len()) {
            if window.iter().map(|(char, _)| char).eq(pattern) {
                self.matches.push((window[0].1, window[window.len() - 1].1));
                at += pattern.len();
            } else {
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::page::tests::page;
    use super::*;

    fn found(page: &Page, wanted: &str) -> Vec<(usize, usize)> {
        Search::new(page, wanted, true).matches.iter().map(|(start, _)| (start.row, start.col)).collect()
    }

    #[test]
    fn text_is_found_over_wraps_and_by_smart_case() {
        let page = page("Needle a\r\n日 needle xneedle\r\nno", 5);
        assert_eq!(found(&page, "needle"), [(0, 0), (1, 3), (2, 1)], "{page:?}");
        assert_eq!(found(&page, "Needle"), [(0, 0)]);
        assert_eq!(found(&page, "e x"), [(1, 8)], "over the edge of the row");
        assert_eq!(found(&page, "nothing"), []);
        assert_eq!(found(&page, ""), []);
    }

    #[test]
    fn the_next_one_is_found_in_both_directions_and_around() {
        let page = page("ab ab\r\nab", 2);
        let search = Search::new(&page, "ab", true);
        let at = |row, col| Place { row, col };
        assert_eq!(search.next(at(0, 0), true), Some(at(0, 3)));
        assert_eq!(search.next(at(1, 0), true), Some(at(0, 0)));
        assert_eq!(search.next(at(0, 3), false), Some(at(0, 0)));
        assert_eq!(search.next(at(0, 0), false), Some(at(1, 0)));
        assert_eq!(Search::new(&page, "x", true).next(at(0, 0), true), None);
    }
}
