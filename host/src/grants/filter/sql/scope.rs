use callslip_ir::{NodeId, NodeKind};
use sqlparser::ast::Ident;

use super::{Problem, Writer, name};

/// The relations of one query.
#[derive(Debug, Default)]
pub(super) struct Frame {
    relations: Vec<ScopeRelation>,
}

#[derive(Debug)]
struct ScopeRelation {
    alias: String,
    /// None, where there is no database to ask.
    columns: Option<Vec<String>>,
}

impl Frame {
    pub fn of(alias: &str, columns: Option<Vec<String>>) -> Self {
        Self { relations: vec![ScopeRelation { alias: alias.to_owned(), columns }] }
    }

    /// Adds a relation, whose alias must be another than those before.
    pub fn add(&mut self, alias: &str, columns: Option<Vec<String>>) -> Result<(), Problem> {
        if self.relations.iter().any(|its| its.alias == alias) {
            return Err(format!("the alias \"{alias}\" names two relations"));
        }
        self.relations.push(ScopeRelation { alias: alias.to_owned(), columns });
        Ok(())
    }

    fn having(&self, column: &str) -> Vec<&str> {
        let has = |its: &&ScopeRelation| {
            its.columns.as_ref().is_none_or(|columns| columns.iter().any(|name| name == column))
        };
        self.relations.iter().filter(has).map(|its| its.alias.as_str()).collect()
    }
}

impl Writer<'_> {
    /// A column that is named without its relation: of the innermost query that has it.
    pub(super) fn bare_column(&mut self, written: &Ident) -> Result<NodeId, Problem> {
        let name = name(written);
        for frame in self.frames.iter().rev() {
            let found = match *frame.having(&name).as_slice() {
                [] => continue,
                [only] => only.to_owned(),
                [first, ..] if frame.relations.iter().any(|its| its.columns.is_none()) => first.to_owned(),
                [first, second, ..] => {
                    return Err(format!(
                        "\"{name}\" may be a column of {first} or of {second}: write which with `{first}.{name}`"
                    ));
                }
            };
            return Ok(self.add(NodeKind::Column { relation: found, name }));
        }
        Err(format!("there is no column \"{name}\", or the host's login may not read it"))
    }

    /// `relation.column`.
    pub(super) fn column(&mut self, written: &[Ident]) -> Result<NodeId, Problem> {
        let [relation, column] = written else {
            let written: Vec<String> = written.iter().map(ToString::to_string).collect();
            return Err(format!(
                "a column is named as `column` or `relation.column`, not as `{}`",
                written.join(".")
            ));
        };
        // Whether there are such ones the verifier says.
        Ok(self.add(NodeKind::Column { relation: name(relation), name: name(column) }))
    }
}
