//! One row of a file, read as servers read it (`READ_INFO::read_field` and `next_line` of theirs): where it ends, and
//! what stands in the fields that somebody wants to know.

use std::ops::Range;

use super::format::Format;

/// More bytes are needed to tell.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct More;

/// A row.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// Its bytes, its end included.
    pub(super) length: usize,
    /// Where its first field begins.
    pub(super) start: usize,
    /// The fields that were wanted, as far as the row has them.
    pub(super) fields: Vec<Option<Field>>,
}

/// A field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// Its bytes in the file, its quotes included.
    pub(super) raw: Range<usize>,
    /// What they mean; `None` for NULL.
    pub(super) value: Option<Vec<u8>>,
}

/// The row that `bytes` begin with, which has so many `columns`; `None` where there are no more. `eof` says that nothing
/// comes behind `bytes`.
pub(super) fn line(
    format: &Format,
    columns: usize,
    wanted: &[usize],
    bytes: &[u8],
    eof: bool,
) -> Result<Option<Line>, More> {
    let mut scan = Scan { format, bytes, at: 0, eof, ended: false };
    if !scan.find_start()? {
        return Ok(None);
    }
    let mut line = Line { start: scan.at, fields: vec![None; wanted.len()], ..Line::default() };
    for column in 0..columns {
        let want = wanted.iter().position(|wanted| *wanted == column);
        let Some(field) = scan.field(want.is_some())? else {
            if column == 0 {
                return Ok(None);
            }
            break;
        };
        if let Some(want) = want {
            line.fields[want] = Some(field);
        }
    }
    scan.end_line()?;
    line.length = scan.at;
    Ok(Some(line))
}

/// The length of a line that is left out: up to its end, whatever stands in it. `None` where there is none.
pub(super) fn ignored(format: &Format, bytes: &[u8], eof: bool) -> Result<Option<usize>, More> {
    let mut scan = Scan { format, bytes, at: 0, eof, ended: false };
    scan.end_line()?;
    Ok((!bytes.is_empty()).then_some(scan.at))
}

struct Scan<'a> {
    format: &'a Format,
    bytes: &'a [u8],
    at: usize,
    eof: bool,
    /// The end of the line, or of the file, has been read.
    ended: bool,
}

impl Scan<'_> {
    /// The next byte; `None` at the end of the file.
    fn get(&mut self) -> Result<Option<u8>, More> {
        match self.bytes.get(self.at) {
            Some(byte) => {
                self.at += 1;
                Ok(Some(*byte))
            }
            None if self.eof => Ok(None),
            None => Err(More),
        }
    }

    /// Reads the rest of a delimiter whose first byte has been read; nothing where it is another.
    fn rest_of(&mut self, delimiter: &[u8]) -> Result<bool, More> {
        let rest = delimiter.get(1..).unwrap_or_default();
        let ahead = &self.bytes[self.at..];
        let common = rest.iter().zip(ahead).take_while(|(one, other)| one == other).count();
        if common == rest.len() {
            self.at += common;
            return Ok(true);
        }
        // It might still become the delimiter.
        if common == ahead.len() && !self.eof { Err(More) } else { Ok(false) }
    }

    /// Skips what precedes the fields. False at the end of the file.
    fn find_start(&mut self) -> Result<bool, More> {
        let Some(first) = self.format.line_start.first() else { return Ok(true) };
        loop {
            match self.get()? {
                None => return Ok(false),
                Some(byte) if byte == *first && self.rest_of(&self.format.line_start)? => return Ok(true),
                Some(_) => {}
            }
        }
    }

    /// A field with what ends it; `None` where the line has no more.
    fn field(&mut self, wanted: bool) -> Result<Option<Field>, More> {
        if self.ended {
            return Ok(None);
        }
        let start = self.at;
        let Some(first) = self.get()? else {
            self.ended = true;
            return Ok(None);
        };
        let quote = self.format.quote.filter(|quote| *quote == first);
        if quote.is_none() {
            self.at = start;
        }
        let mut reading = Reading { value: Vec::new(), wanted, null: false };
        let (end, quoted) = self.rest_of_field(quote, &mut reading)?;
        if quote.is_some() && !quoted {
            // It was no quote after all.
            reading.value.insert(0, first);
        }
        Ok(Some(Field { raw: start..end, value: reading.finish(quoted, self.format.quote.is_some()) }))
    }

    /// The field up to where its bytes end, and whether it ended with its quote.
    fn rest_of_field(&mut self, quote: Option<u8>, reading: &mut Reading) -> Result<(usize, bool), More> {
        let format = self.format;
        loop {
            let before = self.at;
            let Some(mut byte) = self.get()? else {
                self.ended = true;
                return Ok((before, false));
            };
            if Some(byte) == format.escape {
                let Some(next) = self.get()? else {
                    reading.push(byte);
                    self.ended = true;
                    return Ok((self.at, false));
                };
                // A character that is both is doubled to mean itself, and escapes nothing else.
                if format.escape != format.quote || Some(next) == format.escape {
                    reading.push_escaped(next);
                    continue;
                }
                self.at -= 1;
            }
            if quote.is_none() && self.is_line_end(byte)? {
                self.ended = true;
                return Ok((before, false));
            }
            if Some(byte) == quote {
                let quote_end = self.at;
                match self.get()? {
                    Some(next) if Some(next) == quote => {
                        reading.push(next);
                        continue;
                    }
                    None => {
                        self.ended = true;
                        return Ok((quote_end, true));
                    }
                    Some(next) if self.is_line_end(next)? => {
                        self.ended = true;
                        return Ok((quote_end, true));
                    }
                    Some(next) if self.is_field_end(next)? => return Ok((quote_end, true)),
                    // A quote in the middle is one like any other character.
                    Some(_) => {
                        self.at -= 1;
                        byte = self.bytes[quote_end - 1];
                    }
                }
            } else if quote.is_none() && self.is_field_end(byte)? {
                return Ok((before, false));
            }
            reading.push(byte);
        }
    }

    fn is_line_end(&mut self, byte: u8) -> Result<bool, More> {
        let end = &self.format.line_end;
        Ok(end.first() == Some(&byte) && self.rest_of(end)?)
    }

    fn is_field_end(&mut self, byte: u8) -> Result<bool, More> {
        let end = &self.format.field_end;
        Ok(end.first() == Some(&byte) && self.rest_of(end)?)
    }

    /// Skips to the end of the line, where it has not been read: quotes mean nothing here.
    fn end_line(&mut self) -> Result<(), More> {
        while !self.ended {
            match self.get()? {
                None => self.ended = true,
                Some(byte) if Some(byte) == self.format.escape => {
                    let _ = self.get()?;
                }
                Some(byte) => self.ended = self.is_line_end(byte)?,
            }
        }
        Ok(())
    }
}

/// What a field means, as far as it has been read.
struct Reading {
    value: Vec<u8>,
    wanted: bool,
    /// `\N` stands in it.
    null: bool,
}

impl Reading {
    fn push(&mut self, byte: u8) {
        if self.wanted {
            self.value.push(byte);
        }
    }

    fn push_escaped(&mut self, byte: u8) {
        self.null |= byte == b'N';
        self.push(match byte {
            b'0' => 0,
            b'b' => 8,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'Z' => 26,
            other => other,
        });
    }

    /// The value. Where fields can be quoted, the bare word NULL is one.
    fn finish(self, quoted: bool, quotable: bool) -> Option<Vec<u8>> {
        let word = !quoted && quotable && self.value == b"NULL";
        let escaped = self.null && self.value.len() == 1;
        (!word && !escaped).then_some(self.value)
    }
}

#[cfg(test)]
mod tests;
