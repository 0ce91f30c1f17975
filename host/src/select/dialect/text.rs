use std::fmt::{self, Write};

use sea_query::{QueryBuilder, SqlWriter, Value};

/// Where the text of a node stands in a statement, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::select) struct Span {
    pub node: u32,
    pub start: usize,
    pub end: usize,
}

/// Collects the text, the numbers of the parameters, and where each node stands.
#[derive(Debug, Default)]
pub(in crate::select) struct Text {
    sql: String,
    /// The most bytes that it may have.
    limit: usize,
    /// For each parameter in the order of its number, which of the lowered ones it is.
    pub numbered: Vec<u32>,
    pub spans: Vec<Span>,
    open: Vec<(u32, usize)>,
    /// What could not be printed. The text is of no use then.
    pub refused: Option<String>,
    /// More text came than it takes. What there is of it is of no use then.
    pub too_long: bool,
}

impl Text {
    /// Takes this many bytes of text and refuses more.
    pub fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    pub fn refuse(&mut self, what: &str) {
        self.refused.get_or_insert_with(|| what.to_owned());
    }

    /// The `$n` of a parameter: one number for each, however often it is used.
    fn number(&mut self, parameter: u32) -> usize {
        if let Some(index) = self.numbered.iter().position(|&its| its == parameter) {
            return index + 1;
        }
        self.numbered.push(parameter);
        self.numbered.len()
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.sql.len().saturating_add(text.len()) > self.limit {
            self.too_long = true;
        } else {
            self.sql.push_str(text);
        }
        Ok(())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sql)
    }
}

impl SqlWriter for Text {
    fn push_param<T: QueryBuilder>(&mut self, value: Value, _: &T) {
        match value {
            Value::Unsigned(Some(parameter)) => {
                let number = self.number(parameter);
                self.sql.push('$');
                self.sql.push_str(&number.to_string());
            }
            Value::BigUnsigned(Some(node)) => self.open.push((node as u32, self.sql.len())),
            Value::BigUnsigned(None) => {
                if let Some((node, start)) = self.open.pop() {
                    self.spans.push(Span { node, start, end: self.sql.len() });
                }
            }
            _ => self.refuse("a value that is not a parameter"),
        }
    }

    fn as_writer(&mut self) -> &mut dyn Write {
        self
    }
}
