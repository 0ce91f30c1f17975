use std::fmt::Display;
use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use super::document::{Document, RelationEntry, SchemaEntry};
use crate::catalog::PG_CATALOG;

/// The text of a document: a block for each relation, and a line for each of its columns and of everything else, so that
/// a difference between two of them can be read.
pub(super) fn text(document: &Document) -> String {
    let mut lines = Lines { text: "{".to_owned(), indent: 1, first: true };
    lines.member("format", &document.format);
    lines.member("version", &document.version);
    lines.member("postgresql", &document.postgresql);
    lines.member("search", &document.search);
    lines.block("schemas", '{', '}', |lines| {
        // What is the user's comes first.
        let (builtin, own): (Vec<_>, Vec<_>) =
            document.schemas.0.iter().partition(|(name, _)| *name == PG_CATALOG);
        for (name, entry) in own.into_iter().chain(builtin) {
            lines.block(name, '{', '}', |lines| schema(lines, entry));
        }
    });
    lines.list("casts", &document.casts);
    lines.text.push_str("\n}\n");
    lines.text
}

fn schema(lines: &mut Lines, schema: &SchemaEntry) {
    if !schema.relations.0.is_empty() {
        lines.block("relations", '{', '}', |lines| {
            for (name, entry) in &schema.relations.0 {
                lines.block(name, '{', '}', |lines| relation(lines, entry));
            }
        });
    }
    if !schema.types.0.is_empty() {
        lines.block("types", '{', '}', |lines| {
            for (name, ty) in &schema.types.0 {
                lines.member(name, ty);
            }
        });
    }
    lines.list("functions", &schema.functions);
    lines.list("operators", &schema.operators);
    lines.list("collations", &schema.collations);
}

fn relation(lines: &mut Lines, relation: &RelationEntry) {
    lines.member("kind", &relation.kind);
    if let Some(comment) = &relation.comment {
        lines.member("comment", comment);
    }
    lines.block("columns", '[', ']', |lines| relation.columns.iter().for_each(|column| lines.item(column)));
    if relation.hidden_columns > 0 {
        lines.member("hidden_columns", &relation.hidden_columns);
    }
    lines.list("unique_keys", &relation.unique_keys);
    lines.list("foreign_keys", &relation.foreign_keys);
}

/// JSON that is being written, a member or an item a line.
struct Lines {
    text: String,
    indent: usize,
    /// Whether nothing stands yet in the innermost block.
    first: bool,
}

impl Lines {
    fn block(&mut self, key: &str, open: char, close: char, members: impl FnOnce(&mut Self)) {
        self.start();
        self.key(key);
        self.text.push(open);
        self.indent += 1;
        self.first = true;
        members(self);
        self.indent -= 1;
        if !self.first {
            self.end_line();
        }
        self.first = false;
        self.text.push(close);
    }

    /// A list with a line for each item; nothing, if it has none.
    fn list(&mut self, key: &str, items: &[impl Serialize]) {
        if !items.is_empty() {
            self.block(key, '[', ']', |lines| items.iter().for_each(|item| lines.item(item)));
        }
    }

    fn member(&mut self, key: &str, value: &impl Serialize) {
        self.start();
        self.key(key);
        self.text.push_str(&json(value));
    }

    fn item(&mut self, value: &impl Serialize) {
        self.start();
        self.text.push_str(&json(value));
    }

    fn start(&mut self) {
        if !std::mem::replace(&mut self.first, false) {
            self.text.push(',');
        }
        self.end_line();
    }

    fn end_line(&mut self) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n("  ", self.indent));
    }

    fn key(&mut self, key: &(impl Display + Serialize + ?Sized)) {
        self.text.push_str(&json(key));
        self.text.push_str(": ");
    }
}

/// A value on one line.
fn json(value: &(impl Serialize + ?Sized)) -> String {
    let mut bytes = Vec::new();
    // Names and numbers in memory: there is nothing that could fail.
    let written = value.serialize(&mut Serializer::with_formatter(&mut bytes, Spaced));
    debug_assert!(written.is_ok(), "{written:?}");
    String::from_utf8(bytes).unwrap_or_default()
}

/// JSON on one line with a space after each comma and colon.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: io::Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: io::Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }
}
