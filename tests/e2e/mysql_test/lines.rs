//! Taking a file of the public suite apart into commands' texts.

/// What stands between two ends of commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A command or statement; `dashed` where `--` stands before it, which then ends with its line.
    Text { line: usize, text: String, dashed: bool },
    /// `if (…) {` or `while (…) {`: the word and what is in the parentheses.
    Open { line: usize, word: &'static str, condition: String },
    /// The brace that ends it.
    Close,
}

/// Reads a file piece after piece. The delimiter is the file's to change.
pub(super) struct Lines<'a> {
    rest: &'a str,
    line: usize,
    delimiter: String,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Lines<'a> {
        Lines { rest: text, line: 1, delimiter: ";".to_owned() }
    }

    pub(super) fn delimit(&mut self, delimiter: &str) {
        delimiter.clone_into(&mut self.delimiter);
    }

    /// Leaves out what stands before a line that begins with this word, and the line.
    pub(super) fn skip_to(&mut self, word: &str) {
        while !self.rest.is_empty() {
            let line = self.take_line();
            if line.trim_start().trim_start_matches("--").trim_start().starts_with(word) {
                return;
            }
        }
    }

    pub(super) fn next(&mut self) -> Option<Piece> {
        loop {
            self.skip_space();
            let line = self.line;
            if self.rest.is_empty() {
                return None;
            }
            if self.rest.starts_with('#') {
                self.take_line();
            } else if self.rest.starts_with("--") {
                let text = self.take_line().trim_start_matches('-').trim().to_owned();
                return Some(Piece::Text { line, text, dashed: true });
            } else if self.rest.starts_with('}') {
                self.advance(1);
                return Some(Piece::Close);
            } else if let Some(open) = self.block() {
                return Some(open);
            } else {
                let text = self.statement();
                if !text.is_empty() {
                    return Some(Piece::Text { line, text, dashed: false });
                }
            }
        }
    }

    fn skip_space(&mut self) {
        let space = self.rest.len() - self.rest.trim_start().len();
        self.advance(space);
    }

    fn advance(&mut self, bytes: usize) {
        let (gone, rest) = self.rest.split_at(bytes);
        self.line += gone.matches('\n').count();
        self.rest = rest;
    }

    fn take_line(&mut self) -> &'a str {
        let end = self.rest.find('\n').unwrap_or(self.rest.len());
        let line = &self.rest[..end];
        self.advance((end + 1).min(self.rest.len()));
        line
    }

    /// `while ($1) {`, with any space in between.
    fn block(&mut self) -> Option<Piece> {
        let word = ["if", "while"].into_iter().find(|word| {
            let head = self.rest.get(..word.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(word))
        })?;
        let inside = self.rest[word.len()..].trim_start().strip_prefix('(')?;
        let mut depth = 1;
        let end = inside.char_indices().find_map(|(at, character)| {
            match character {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            (depth == 0).then_some(at)
        })?;
        let behind = inside[end + 1..].trim_start().strip_prefix('{')?;
        let piece = Piece::Open { line: self.line, word, condition: inside[..end].trim().to_owned() };
        self.advance(self.rest.len() - behind.len());
        Some(piece)
    }

    /// Up to the delimiter, unless it is quoted.
    fn statement(&mut self) -> String {
        let bytes = self.rest.as_bytes();
        let (mut at, mut quote) = (0, None);
        while at < bytes.len() {
            let byte = bytes[at];
            match quote {
                _ if byte == b'\\' && quote != Some(b'`') => at += 1,
                Some(open) if byte == open => quote = None,
                Some(_) => {}
                None if matches!(byte, b'\'' | b'"' | b'`') => quote = Some(byte),
                None if bytes[at..].starts_with(self.delimiter.as_bytes()) => break,
                None => {}
            }
            at += 1;
        }
        let end = at.min(bytes.len());
        let text = self.rest[..end].trim().to_owned();
        self.advance((end + self.delimiter.len()).min(bytes.len()));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<Piece> {
        let mut lines = Lines::new(text);
        std::iter::from_fn(|| lines.next()).collect()
    }

    fn text(line: usize, text: &str, dashed: bool) -> Piece {
        Piece::Text { line, text: text.to_owned(), dashed }
    }

    #[test]
    fn statements_end_at_the_delimiter_outside_of_quotes() {
        let all = pieces("# no\n--error 1064\nselect ';', \"\\\"\";;\nselect\n 1;");
        let expected = [
            text(2, "error 1064", true),
            text(3, "select ';', \"\\\"\"", false),
            text(4, "select\n 1", false),
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn blocks_have_a_condition() {
        let all = pieces("while ($i)\n{\n select (1);\n}\n");
        let open = Piece::Open { line: 1, word: "while", condition: "$i".to_owned() };
        assert_eq!(all, [open, text(3, "select (1)", false), Piece::Close]);
    }

    #[test]
    fn another_delimiter_lets_semicolons_pass() {
        let mut lines = Lines::new("create procedure p() begin select 1; end|\nselect 2|");
        lines.delimit("|");
        assert_eq!(lines.next(), Some(text(1, "create procedure p() begin select 1; end", false)));
        assert_eq!(lines.next(), Some(text(2, "select 2", false)));
    }
}
