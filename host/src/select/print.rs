use callslip_ir::{Description, NodeId, NodeKind, SlotId};

use super::dialect::{Dialect, Span, Text};
use super::lower::{Lowered, StatementParameter, select_as_text, type_name};
use super::{Finding, Limits, ResolvedType, SourcePlace, structure};
use crate::Code;
use crate::grants::FilterValue;

/// The form in which a column of a result leaves PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnForm {
    /// As its own type.
    AsIs,
    /// Cast to `text`.
    Text,
    /// Cast to `text[]`.
    TextArray,
}

/// A statement as text.
#[derive(Clone, Debug)]
pub struct Printed {
    /// The text.
    pub sql: String,
    /// What is bound to `$1`, `$2`, and so on.
    pub parameters: Vec<StatementParameter>,
    slots: usize,
    values: Vec<FilterValue>,
    spans: Vec<Span>,
}

/// Prints a statement after the comment that tells whose it is, which is made of a plugin's and a query's name, the
/// shape's digest, and the schemas that claims have chosen. `forms` has a form for each column, or nothing where all are as they are.
///
/// # Errors
/// A finding, if the text is too long or something reached the dialect that verification should have stopped.
pub fn print(
    lowered: &Lowered,
    comment: &Comment<'_>,
    forms: &[ColumnForm],
    limits: &Limits,
) -> Result<Printed, Finding> {
    let dialect = Dialect { types: &lowered.types };
    let mut text = Text::new(limits.sql_bytes);
    comment.write(&mut text)?;
    if forms.iter().any(|form| *form != ColumnForm::AsIs) {
        dialect.print(&select_as_text(&lowered.query, &lowered.columns, forms), &mut text);
    } else {
        dialect.print(&lowered.query, &mut text);
    }
    if text.too_long {
        let message = format!("the statement has more than {} bytes", limits.sql_bytes);
        return Err(Finding::new(Code::DescriptionTooLarge, message));
    }
    if let Some(refused) = &text.refused {
        let message = format!("the dialect refuses to print the statement: {refused}");
        return Err(Finding::new(Code::InvalidStructure, message));
    }
    let sql = text.to_string();
    let parameters = text.numbered.iter().map(|&index| lowered.parameters[index as usize].clone()).collect();
    let (slots, values) = (lowered.slots, lowered.values.clone());
    Ok(Printed { sql, parameters, slots, values, spans: text.spans })
}

/// A statement that reads its parameter as a value of the type, and does nothing else.
pub fn print_constant(ty: &ResolvedType) -> String {
    let mut text = Text::new(usize::MAX);
    let mut value = sea_query::Query::select();
    value.expr(sea_query::Expr::Value(sea_query::Value::Unsigned(Some(0))));
    let statement = sea_query::SubQueryStatement::SelectStatement(value);
    let types = [type_name(ty)];
    Dialect { types: &types }.print(&sea_query::Expr::SubQuery(None, Box::new(statement)), &mut text);
    text.to_string()
}

/// Where the author wrote the value of a slot.
pub fn place_of_slot(description: &Description, slot: SlotId) -> Option<SourcePlace> {
    let uses = |node: &callslip_ir::Node| matches!(node.kind, NodeKind::Parameter(its) if its == slot);
    let node = description.nodes.iter().position(uses)?;
    structure::place(description, NodeId(node as u32))
}

/// Where the author wrote the query, as far as that is known.
pub fn place_of_query(description: &Description) -> Option<SourcePlace> {
    let nodes = (0..description.nodes.len()).rev();
    nodes.map(|node| NodeId(node as u32)).find_map(|node| structure::place(description, node))
}

/// The comment that each statement begins with, so that a DBA who sees it knows whose it is.
#[derive(Clone, Copy, Debug)]
pub struct Comment<'a> {
    /// The name of the plugin.
    pub plugin: &'a str,
    /// The name of the query.
    pub query: &'a str,
    /// The digest of the shape, in hexadecimal.
    pub shape: &'a str,
    /// The schemas that claims have chosen for logical ones, of those on which the statement depends.
    pub schemas: &'a [(&'a str, &'a str)],
}

impl Comment<'_> {
    fn write(&self, text: &mut Text) -> Result<(), Finding> {
        use std::fmt::Write;
        // Both names were checked when they were loaded; text that could end a comment is worth a second look.
        let plain = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if !(plain(self.plugin) && plain(self.query) && plain(self.shape)) {
            return Err(Finding::new(Code::InvalidName, "a name can't stand in a comment"));
        }
        _ = write!(text, "/* callslip {}.{} {} ", self.plugin, self.query, self.shape);
        for (logical, real) in self.schemas {
            // What a schema is called is the database's affair.
            let shown = |name| if plain(name) { name } else { "?" };
            _ = write!(text, "{}={} ", shown(logical), shown(real));
        }
        _ = write!(text, "*/ ");
        Ok(())
    }
}

impl Printed {
    /// The value of a slot that is none of the description's, but of a row filter.
    pub fn filter_value(&self, slot: SlotId) -> Option<&FilterValue> {
        self.values.get((slot.0 as usize).checked_sub(self.slots)?)
    }

    /// The line of the author's that a position in the text comes from. `position` counts characters from 1, as
    /// PostgreSQL's errors do.
    pub fn place(&self, description: &Description, position: usize) -> Option<SourcePlace> {
        let offset = self.sql.char_indices().nth(position.checked_sub(1)?)?.0;
        let around = |span: &&Span| span.start <= offset && offset < span.end;
        let mut spans: Vec<&Span> = self.spans.iter().filter(around).collect();
        spans.sort_by_key(|span| span.end - span.start);
        spans.iter().find_map(|span| structure::place(description, NodeId(span.node)))
    }
}
