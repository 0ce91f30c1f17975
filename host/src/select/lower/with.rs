use callslip_ir::{Cte, Cycle, Materialization, SearchOrder, With};
use sea_query::{Expr, IntoIden, Query, SubQueryStatement};

use super::{Lowerer, fill, identifier, qualified, relation, unverified};
use crate::select::dialect::template;
use crate::select::structure;

impl<'a> Lowerer<'a> {
    /// The template of a WITH, and its CTEs.
    pub(super) fn with(&mut self, with: &'a With) -> (&'static str, Expr) {
        let template = if with.recursive { template::WITH_RECURSIVE } else { template::WITH };
        let ctes: Vec<Expr> = with.ctes.iter().map(|cte| self.cte(cte)).collect();
        (template, fill(template::LIST, ctes))
    }

    fn cte(&mut self, cte: &'a Cte) -> Expr {
        let query = self.query(cte.query);
        let template = match cte.materialized {
            Materialization::Unspecified => template::CTE,
            Materialization::Materialized => template::CTE_MATERIALIZED,
            Materialization::NotMaterialized => template::CTE_NOT_MATERIALIZED,
        };
        match &cte.cycle {
            Some(cycle) if cycle.values.is_some() => {
                let plain = searched(cte, fill(template::CTE, [named(cte), query]));
                let marked = self.marked(cte, cycle, plain);
                fill(template, [identifier(&cte.name), marked])
            }
            _ => searched(cte, fill(template, [named(cte), query])),
        }
    }

    /// A query around the recursive one, of the same name inside, that gives the mark of a cycle its values: PostgreSQL's
    /// grammar takes only literals there, and no parameter.
    fn marked(&mut self, cte: &'a Cte, cycle: &'a Cycle, recursive: Expr) -> Expr {
        let Some((value, default)) = cycle.values else { return unverified() };
        let mut statement = Query::select();
        let columns = structure::cte_columns(self.description, cte).into_iter().flatten();
        let searched = cte.search.as_ref().map(|search| search.set.clone());
        for column in columns.chain(searched) {
            statement.expr_as(qualified(&cte.name, &column), column.into_iden());
        }
        let value = self.expression(value);
        let when = fill(template::WHEN, [qualified(&cte.name, &cycle.mark), value]);
        let mark = fill(template::CASE_ELSE, [when, self.expression(default)]);
        statement.expr_as(mark, cycle.mark.clone().into_iden());
        statement.expr_as(qualified(&cte.name, &cycle.path), cycle.path.clone().into_iden());
        statement.from(relation::table_ref(identifier(&cte.name)));
        let select = Expr::SubQuery(None, Box::new(SubQueryStatement::SelectStatement(statement)));
        fill(template::WITH_RECURSIVE, [recursive, select])
    }
}

/// `name (columns)`.
fn named(cte: &Cte) -> Expr {
    let name = identifier(&cte.name);
    if cte.columns.is_empty() {
        return name;
    }
    fill(template::NAMED_COLUMNS, std::iter::once(name).chain(cte.columns.iter().map(|its| identifier(its))))
}

/// A CTE with its SEARCH and CYCLE.
fn searched(cte: &Cte, mut lowered: Expr) -> Expr {
    let list = |names: &[String]| fill(template::LIST, names.iter().map(|name| identifier(name)));
    if let Some(search) = &cte.search {
        let template = match search.order {
            SearchOrder::Breadth => template::SEARCH_BREADTH,
            SearchOrder::Depth => template::SEARCH_DEPTH,
        };
        lowered = fill(template, [lowered, list(&search.by), identifier(&search.set)]);
    }
    if let Some(cycle) = &cte.cycle {
        let columns = [list(&cycle.columns), identifier(&cycle.mark), identifier(&cycle.path)];
        lowered = fill(template::CYCLE, std::iter::once(lowered).chain(columns));
    }
    lowered
}
