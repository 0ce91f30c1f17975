//! Rows as a table, for people.

use std::fmt;

use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement};

use super::terminal;
use crate::printable::printable;

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
        // Some terminals don't say how wide they are.
        if table.width() == Some(0) {
            table.set_width(80);
        }
        let mut numeric = Vec::new();
        let header = columns.into_iter().map(|column| {
            numeric.push(column.numeric);
            aligned(Cell::new(printable(&column.name, usize::MAX)), column.numeric)
        });
        table.set_header(header.collect::<Vec<_>>());
        Self { table, numeric, colours: terminal::stdout_has_colours() }
    }

    /// Adds a row: a cell for each column, none for null. Nothing in a cell may command the terminal.
    pub(super) fn push(&mut self, row: impl IntoIterator<Item = Option<String>>) {
        let cells = row.into_iter().zip(&self.numeric).map(|(value, &numeric)| {
            let cell = match value {
                None if self.colours => Cell::new("null").add_attribute(Attribute::Dim),
                None => Cell::new("null"),
                Some(text) => Cell::new(text),
            };
            aligned(cell, numeric)
        });
        self.table.add_row(cells.collect::<Vec<_>>());
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

    fn table(width: Option<u16>, rows: &[[Option<&str>; 2]]) -> String {
        let column = |name: &str, numeric| Column { name: name.to_owned(), numeric };
        let mut table = Table::new([column("id", true), column("title", false)]);
        table.table.force_no_tty();
        table.colours = false;
        if let Some(width) = width {
            table.table.set_width(width);
        }
        for row in rows {
            table.push(row.map(|cell| cell.map(str::to_owned)));
        }
        table.to_string()
    }

    #[test]
    fn numbers_stand_on_the_right_and_null_is_seen() {
        let rows = [[Some("1"), Some("Cook")], [Some("12345678901234567890.10"), None]];
        assert_eq!(
            table(None, &rows),
            [
                "                      id │ title",
                "─────────────────────────┼───────",
                "                       1 │ Cook",
                " 12345678901234567890.10 │ null",
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
        let long = "word ".repeat(30);
        let shown = table(Some(40), &[[Some("1"), Some(&long)]]);
        assert!(shown.lines().all(|line| line.chars().count() <= 40), "{shown}");
        assert_eq!(shown.matches("word").count(), 30, "{shown}");
    }
}
