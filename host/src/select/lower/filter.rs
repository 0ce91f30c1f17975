use callslip_ir::{NodeId, Table};
use sea_query::{Expr, Query, SelectStatement, SubQueryStatement};

use super::{Lowerer, fill, identifier, qualified, relation, unverified, word};
use crate::select::dialect::template;
use crate::select::filter::{Condition, Filtered};
use crate::select::lower::relation::aliased;
use crate::select::verified::Resolution;

impl<'a> Lowerer<'a> {
    /// A filtered relation: a derived table of the rows that pass.
    pub(super) fn filtered(&mut self, node: NodeId, table: &'a Table, filtered: &'a Filtered) -> Expr {
        let (schema, name) = &filtered.filter.relation;
        let Some(first) = filtered.filter.conditions.first() else { return unverified() };
        let stored = qualified(schema, name);
        let stored = if table.only { fill(template::ONLY, [stored]) } else { stored };
        let named = fill(template::ALIASED, [stored, identifier(&first.alias)]);
        let mut rows = select(filtered, &first.alias);
        let sampled = self.sampled(node, table, named.clone());
        rows.from(relation::table_ref(sampled));
        // They come first: of a caller without a claim nothing is read then.
        let conditions: Vec<Expr> =
            filtered.filter.conditions.iter().map(|condition| self.condition(condition)).collect();
        rows.and_where(both(conditions));
        let rows = subquery(rows);
        let rows = match filtered.barrier {
            false => rows,
            // No condition gets below OFFSET, and no estimate below UNION.
            true => {
                let mut none = select(filtered, &first.alias);
                none.from(relation::table_ref(named));
                none.and_where(word(template::FALSE));
                let rows = fill(template::UNION_ALL, [rows, subquery(none)]);
                fill(template::OFFSET, [rows, super::integer(0)])
            }
        };
        aliased(fill(template::SUBQUERY, [rows]), &table.alias, &table.columns)
    }

    /// A relation with its TABLESAMPLE.
    pub(super) fn sampled(&mut self, node: NodeId, table: &'a Table, relation: Expr) -> Expr {
        let Some(sample) = &table.sample else { return relation };
        let Resolution::Sampled { method: (schema, name), .. } = self.resolution(node) else {
            return unverified();
        };
        let mut operands = vec![relation, qualified(schema, name)];
        operands.extend(sample.arguments.iter().map(|&argument| self.expression(argument)));
        let sampled = fill(template::TABLESAMPLE, operands);
        match sample.seed {
            Some(seed) => fill(template::REPEATABLE, [sampled, self.expression(seed)]),
            None => sampled,
        }
    }

    /// A filter's condition, and that its claims are there.
    fn condition(&mut self, condition: &'a Condition) -> Expr {
        let lowered = self.lower_apart(condition);
        let mut all = Vec::with_capacity(condition.claims.len() + 1);
        for (claim, ty) in &condition.claims {
            let slot = self.slot_of(claim);
            let parameter = self.parameter_of(slot, ty.clone());
            all.push(fill(template::IS_NOT_NULL, [parameter]));
        }
        all.push(lowered);
        both(all)
    }

    /// Lowers the condition out of its own description, whose slots are others and whose nodes the author did not write.
    fn lower_apart(&mut self, condition: &'a Condition) -> Expr {
        let slots = condition.values.iter().map(|value| self.slot_of(value)).collect();
        let mut apart = Lowerer {
            description: &condition.description,
            verified: &condition.verified,
            parameters: std::mem::take(&mut self.parameters),
            numbers: std::mem::take(&mut self.numbers),
            values: Vec::new(),
            own_slots: Some(slots),
        };
        let lowered = apart.operand(condition.node);
        (self.parameters, self.numbers) = (apart.parameters, apart.numbers);
        lowered
    }
}

fn both(conditions: Vec<Expr>) -> Expr {
    conditions.into_iter().reduce(|left, right| fill(template::AND, [left, right])).unwrap_or_else(unverified)
}

/// `SELECT` of the columns that the statement sees.
fn select(filtered: &Filtered, alias: &str) -> SelectStatement {
    let mut statement = Query::select();
    for column in &filtered.columns {
        statement.expr(qualified(alias, column));
    }
    statement
}

fn subquery(statement: SelectStatement) -> Expr {
    Expr::SubQuery(None, Box::new(SubQueryStatement::SelectStatement(statement)))
}
