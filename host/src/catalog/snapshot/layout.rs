use std::fmt::Display;
use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use super::document::{Document, RelationEntry, RowSecurityEntry, SchemaEntry, ViewEntry};
use super::entries::Entries;
use crate::catalog::{PG_CATALOG, Persistence};

/// The text of a document: a block for each relation, and a line for each of its columns and of everything else, so that
/// a difference between two of them can be read.
pub(super) fn text(document: &Document) -> String {
    let mut lines = Lines { text: "{".to_owned(), indent: 1, first: true };
    lines.member("format", &document.format);
    lines.member("version", &document.version);
    lines.member("postgresql", &document.postgresql);
    lines.entries("settings", &document.settings);
    lines.member("search", &document.search);
    lines.flag("everything", document.everything);
    lines.entries("extensions", &document.extensions);
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
    if schema.hidden {
        lines.member("hidden", &true);
    }
    lines.word("owner", &schema.owner);
    lines.optional("comment", schema.comment.as_ref());
    if !schema.relations.0.is_empty() {
        lines.block("relations", '{', '}', |lines| {
            for (name, entry) in &schema.relations.0 {
                lines.block(name, '{', '}', |lines| relation(lines, entry));
            }
        });
    }
    lines.entries("types", &schema.types);
    lines.list("functions", &schema.functions);
    lines.list("operators", &schema.operators);
    lines.list("collations", &schema.collations);
}

fn relation(lines: &mut Lines, relation: &RelationEntry) {
    lines.member("kind", &relation.kind);
    lines.optional("persistence", Some(relation.persistence).filter(|its| *its != Persistence::default()));
    lines.word("owner", &relation.owner);
    lines.optional("extension", relation.extension.as_ref());
    lines.optional("comment", relation.comment.as_ref());
    lines.optional("foreign_server", relation.foreign_server.as_ref());
    lines.optional("partitioned_by", relation.partitioned_by.as_ref());
    lines.optional("partition_of", relation.partition_of.as_ref());
    lines.list("inherits", &relation.inherits);
    lines.block("columns", '[', ']', |lines| relation.columns.iter().for_each(|column| lines.item(column)));
    lines.optional("hidden_columns", Some(relation.hidden_columns).filter(|hidden| *hidden > 0));
    lines.list("unique_keys", &relation.unique_keys);
    lines.list("foreign_keys", &relation.foreign_keys);
    lines.list("checks", &relation.checks);
    lines.list("exclusions", &relation.exclusions);
    lines.list("indexes", &relation.indexes);
    let RowSecurityEntry { enabled, forced, policies } = &relation.row_security;
    if *enabled || *forced || !policies.is_empty() {
        lines.block("row_security", '{', '}', |lines| {
            lines.flag("enabled", *enabled);
            lines.flag("forced", *forced);
            lines.list("policies", policies);
        });
    }
    if let Some(view) = &relation.view {
        let ViewEntry { definition, security_barrier, security_invoker, reads, calls } = view;
        lines.block("view", '{', '}', |lines| {
            lines.list("definition", definition);
            lines.flag("security_barrier", *security_barrier);
            lines.flag("security_invoker", *security_invoker);
            lines.list("reads", reads);
            lines.list("calls", calls);
        });
    }
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

    /// An object with a line for each member; nothing, if it has none.
    fn entries(&mut self, key: &str, entries: &Entries<impl Serialize>) {
        if !entries.0.is_empty() {
            self.block(key, '{', '}', |lines| {
                entries.0.iter().for_each(|(name, entry)| lines.member(name, entry));
            });
        }
    }

    /// A member, if there is a value.
    fn optional(&mut self, key: &str, value: Option<impl Serialize>) {
        if let Some(value) = value {
            self.member(key, &value);
        }
    }

    /// A text, unless it is empty.
    fn word(&mut self, key: &str, word: &str) {
        self.optional(key, Some(word).filter(|word| !word.is_empty()));
    }

    /// What is true, and nothing of what is not.
    fn flag(&mut self, key: &str, is_set: bool) {
        self.optional(key, Some(is_set).filter(|is_set| *is_set));
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
