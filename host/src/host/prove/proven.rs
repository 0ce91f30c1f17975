use std::sync::Arc;

use callslip_ir::Rows;

use crate::catalog::ObjectName;
use crate::loan::ResultColumn;
use crate::plugin::{Failure, Shape};
use crate::select::{ColumnName, Finding};

/// A shape of a query, with the statements that it was proven to send.
#[derive(Debug)]
pub struct ProvenShape {
    /// What is seen of the call.
    pub shape: Shape,
    /// Its statements, or the plugin's refusal of this combination.
    pub outcome: Result<Vec<ProvenStatement>, Failure>,
}

/// A statement that was verified and, where there is a database, parsed and described by PostgreSQL.
#[derive(Clone, Debug)]
pub struct ProvenStatement {
    /// Its name; empty where the query has only one.
    pub name: String,
    /// How many rows it gives.
    pub rows: Rows,
    /// Its text.
    pub sql: Arc<str>,
    /// What is bound to `$1`, `$2`, and so on.
    pub values: Vec<ValueSource>,
    /// The types that they are bound as, for people.
    pub types: Vec<String>,
    /// The columns of its result. Without a database, of the type `unknown` where the verifier can't infer it.
    pub columns: Arc<[ResultColumn]>,
    /// The relations that it reads, as `schema.name`.
    pub relations: Vec<String>,
    /// The functions that it calls, as `schema.name`.
    pub functions: Vec<String>,
    /// The columns of these relations that it reads: those that it names, those of whole rows, and those that joins compare by
    /// name.
    pub columns_read: Vec<ColumnName>,
    /// All that it takes from outside of `pg_catalog`, by name: relations, functions, operators, collations, and types, also
    /// those of the columns that it reads.
    pub objects: Vec<ObjectName>,
    /// What PostgreSQL takes and its author hardly means.
    pub warnings: Vec<Finding>,
}

impl ProvenShape {
    /// Its statements; none where the plugin refuses it.
    pub(in crate::host) fn statements(&self) -> &[ProvenStatement] {
        self.outcome.as_deref().unwrap_or_default()
    }

    /// About what it takes of memory: its key, the text of its statements, and their constants.
    pub(in crate::host) fn bytes(&self) -> usize {
        let choices = self.shape.parameters.iter().chain(&self.shape.claims);
        let key: usize = choices.map(|choice| choice.parameter.len() + choice.value.len()).sum();
        let constant = |source: &ValueSource| match source {
            ValueSource::Constant(Some(text)) => text.len(),
            _ => 0,
        };
        let warning = |its: &Finding| its.message.len() + its.help.as_ref().map_or(0, String::len);
        let statement = |its: &ProvenStatement| {
            let (constants, warnings) = (its.values.iter().map(constant), its.warnings.iter().map(warning));
            let object = |its: &ObjectName| its.schema.len() + its.name.len();
            let read = its.columns_read.iter().map(|its| object(&its.relation) + its.column.len());
            let names = read.chain(its.objects.iter().map(object));
            its.sql.len() + constants.sum::<usize>() + warnings.sum::<usize>() + names.sum::<usize>()
        };
        key + self.outcome.iter().flatten().map(statement).sum::<usize>()
    }
}

/// Where the value of a parameter of a statement comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueSource {
    /// A parameter of the call.
    Parameter(String),
    /// A claim of the caller.
    Claim(String),
    /// A constant of the plugin's, in PostgreSQL's text form.
    Constant(Option<String>),
}
