use callslip_ir::{NodeId, Values};

use super::Verifier;
use super::query::ResultColumn;
use crate::Code;
use crate::select::scope::Scope;
use crate::select::signature::Operand;
use crate::select::structure;

impl<'a> Verifier<'a> {
    /// Verifies VALUES, whose columns are named by PostgreSQL.
    pub(super) fn values(
        &mut self,
        node: NodeId,
        values: &'a Values,
        outer: &Scope<'_>,
    ) -> Vec<ResultColumn> {
        let width = values.rows.first().map_or(0, Vec::len);
        if width == 0 {
            self.report(node, Code::InvalidStructure, "VALUES needs a row of at least one value");
            return Vec::new();
        }
        if let Some(row) = values.rows.iter().find(|row| row.len() != width) {
            let message = format!("the rows of VALUES have {width} and {} values", row.len());
            self.report(node, Code::InvalidStructure, message);
            return Vec::new();
        }
        if width > self.context.limits.columns {
            self.report(node, Code::DescriptionTooLarge, format!("VALUES has {width} columns"));
            return Vec::new();
        }
        // A query of its own, without relations.
        let scope = Scope { relations: &[], outer: Some(outer) };
        let mut columns = Vec::with_capacity(width);
        for index in 0..width {
            let nodes: Vec<NodeId> = values.rows.iter().map(|row| row[index]).collect();
            let operand = self.common(&nodes, &scope, "VALUES").map_or(Operand::Opaque, Operand::Known);
            let name = structure::values_name(index);
            columns.push(ResultColumn { name: Some(name.as_str().into()), operand, node: nodes[0] });
        }
        columns
    }
}
