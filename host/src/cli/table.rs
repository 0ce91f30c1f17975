//! Rows as a table, for people.

use std::borrow::Cow;
use std::fmt;

use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement};
use serde_json::value::RawValue;

use super::terminal;

/// A line under the header and one between columns; nothing between rows.
const LINES: &str = "     ─┼ │          ";

/// Rows under named columns. On a terminal it fits the width; elsewhere lines are as long as they are.
pub(super) struct Table {
    table: comfy_table::Table,
    numeric: Vec<bool>,
    colours: bool,
}

/// A column of a table.
pub(super) struct Column {
    /// Its name.
    pub(super) name: String,
    /// Whether its values are numbers, which stand on the right.
    pub(super) numeric: bool,
}

impl Table {
    /// A table without rows.
    pub(super) fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_preset(LINES).set_content_arrangement(ContentArrangement::Dynamic);
        let mut numeric = Vec::new();
        let header = columns.into_iter().map(|column| {
            numeric.push(column.numeric);
            aligned(Cell::new(terminal::harmless(&column.name)), column.numeric)
        });
        table.set_header(header.collect::<Vec<_>>());
        Self { table, numeric, colours: terminal::stdout_has_colours() }
    }

    /// Adds a row: one JSON value for each column. Numbers keep every digit, since they are never read.
    pub(super) fn push<'a>(&mut self, row: impl IntoIterator<Item = &'a RawValue>) {
        let cells = row.into_iter().zip(&self.numeric).map(|(value, &numeric)| {
            let cell = match value.get() {
                "null" if self.colours => Cell::new("null").add_attribute(Attribute::Dim),
                json => Cell::new(terminal::harmless(&text(json))),
            };
            aligned(cell, numeric)
        });
        self.table.add_row(cells.collect::<Vec<_>>());
    }
}

/// A string as itself, anything else as its JSON.
fn text(json: &str) -> Cow<'_, str> {
    match json.starts_with('"').then(|| serde_json::from_str::<String>(json)) {
        Some(Ok(string)) => Cow::Owned(string),
        _ => Cow::Borrowed(json),
    }
}

fn aligned(cell: Cell, numeric: bool) -> Cell {
    if numeric { cell.set_alignment(CellAlignment::Right) } else { cell }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without trailing blanks, which the padding of the last column leaves.
        for line in self.table.lines() {
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(width: Option<u16>, rows: &[&str]) -> String {
        let column = |name: &str, numeric| Column { name: name.to_owned(), numeric };
        let mut table = Table::new([column("id", true), column("title", false)]);
        table.table.force_no_tty();
        table.colours = false;
        if let Some(width) = width {
            table.table.set_width(width);
        }
        for row in rows {
            table.push(serde_json::from_str::<Vec<&RawValue>>(row).unwrap());
        }
        table.to_string()
    }

    #[test]
    fn numbers_stand_on_the_right_and_keep_their_digits() {
        assert_eq!(
            table(None, &[r#"[1, "Cook"]"#, r#"[12345678901234567890.10, null]"#, r#"[7, {"a":[1]}]"#]),
            [
                "                      id │ title",
                "─────────────────────────┼───────────",
                "                       1 │ Cook",
                " 12345678901234567890.10 │ null",
                "                       7 │ {\"a\":[1]}",
                "",
            ]
            .join("\n")
        );
    }

    #[test]
    fn a_table_without_rows_keeps_its_columns() {
        assert!(table(None, &[]).contains("id │ title"));
    }

    #[test]
    fn a_long_value_is_folded_into_the_width() {
        let row = format!(r#"[1, "{}"]"#, "word ".repeat(30));
        let shown = table(Some(40), &[&row]);
        assert!(shown.lines().all(|line| line.chars().count() <= 40), "{shown}");
        assert_eq!(shown.matches("word").count(), 30, "{shown}");
    }

    #[test]
    fn a_value_cannot_command_the_terminal() {
        let shown = table(None, &[r#"[1, "\u001b[2Jgone\u0007"]"#]);
        assert!(shown.contains(r"\u{1b}[2Jgone\u{7}"), "{shown}");
    }
}
