use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{ProveError, Prover};
use crate::Code;
use crate::loan::{LoanError, Proving};
use crate::plugin::PlannedStatement;
use crate::printable::printable;
use crate::select::{self, Finding, Printed};

/// What PostgreSQL expects a statement to cost.
struct Cost {
    /// In its own units.
    total: f64,
    /// The node that costs most by itself, such as `Seq Scan on rating`, and how much.
    most: (String, f64),
}

#[derive(Deserialize)]
struct Explained<'j> {
    #[serde(rename = "Plan", borrow)]
    plan: &'j RawValue,
}

/// A node of a plan. What is under it is read by itself: nothing recurses, however deep it is.
#[derive(Deserialize)]
struct Node<'j> {
    #[serde(rename = "Node Type", borrow)]
    ty: Cow<'j, str>,
    #[serde(rename = "Relation Name", borrow, default)]
    relation: Option<Cow<'j, str>>,
    #[serde(rename = "Function Name", borrow, default)]
    function: Option<Cow<'j, str>>,
    #[serde(rename = "CTE Name", borrow, default)]
    cte: Option<Cow<'j, str>>,
    #[serde(rename = "Total Cost")]
    total: f64,
    #[serde(rename = "Plans", borrow, default)]
    plans: Vec<&'j RawValue>,
}

impl Cost {
    /// Reads what `EXPLAIN (FORMAT JSON)` says of one statement.
    ///
    /// # Errors
    /// What is no plan.
    fn read(json: &str) -> Result<Self, serde_json::Error> {
        let [explained]: [Explained<'_>; 1] = serde_json::from_str(json)?;
        let mut cost = Self { total: 0.0, most: (String::new(), 0.0) };
        let mut open = vec![(serde_json::from_str::<Node<'_>>(explained.plan.get())?, true)];
        while let Some((node, is_root)) = open.pop() {
            let mut own = node.total;
            if is_root {
                cost.total = node.total;
            }
            for plan in &node.plans {
                let below: Node<'_> = serde_json::from_str(plan.get())?;
                own -= below.total;
                open.push((below, false));
            }
            if own > cost.most.1 || cost.most.0.is_empty() {
                cost.most = (node.described(), own.max(0.0));
            }
        }
        Ok(cost)
    }
}

impl Node<'_> {
    fn described(&self) -> String {
        match self.relation.as_ref().or(self.function.as_ref()).or(self.cte.as_ref()) {
            Some(name) => format!("{} on {name}", self.ty),
            None => self.ty.clone().into_owned(),
        }
    }
}

impl Prover<'_> {
    /// What PostgreSQL expects the statement to cost, whatever its values: no more than it may. Planning runs functions of
    /// constants, so that this is only asked of what was verified.
    pub(super) async fn check_cost(
        &self,
        planned: &PlannedStatement,
        printed: &Printed,
        most: u64,
        proving: &Proving<'_>,
    ) -> Result<f64, ProveError> {
        let (plugin, query) = (&self.plugin.name, &self.query.name);
        let refuse = |message: String, help: String| {
            let finding = Finding::new(Code::TooCostly, message).with_help(help);
            Err(ProveError::Findings(vec![finding.at(select::place_of_query(&planned.description))]))
        };
        let of = match planned.name.as_str() {
            "" => String::new(),
            name => format!(" for the statement `{}`", printable(name, 63)),
        };
        let json = match proving.explain_as_json(&printed.sql, printed.parameters.len()).await {
            Ok(json) => json,
            // It may say what a function has found in a table.
            Err(LoanError::Failed(postgres)) => {
                let message =
                    format!("PostgreSQL can't plan it{of} ({postgres}), so that it may cost anything");
                return refuse(message, format!("`callslip explain {plugin} {query}` says more"));
            }
            Err(error) => return Err(ProveError::Loan(error)),
        };
        let cost = match Cost::read(&json) {
            Ok(cost) => cost,
            Err(error) => return refuse(format!("its plan{of} can't be read: {error}"), String::new()),
        };
        if cost.total <= most as f64 {
            return Ok(cost.total);
        }
        let (node, own) = (printable(&cost.most.0, 200), cost.most.1);
        refuse(
            format!(
                "PostgreSQL expects a cost of {:.0}{of}, and the limit is {most}; its dearest part, by itself and read to its \
                 end: {node} ({own:.0})",
                cost.total
            ),
            format!("have it read less, or raise cost in [plugins.{plugin}.queries.{query}.limits]"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_node_that_costs_most_by_itself_is_told() {
        let json = r#"[{"Plan": {"Node Type": "Limit", "Startup Cost": 1.0, "Total Cost": 110.5, "Plans": [
            {"Node Type": "Hash Join", "Total Cost": 110.0, "Plans": [
                {"Node Type": "Seq Scan", "Relation Name": "a \"b\" (cost=1)", "Alias": "a", "Total Cost": 90.25},
                {"Node Type": "Hash", "Total Cost": 10.0}]}]}}]"#;
        let cost = Cost::read(json).unwrap();
        assert_eq!(cost.total, 110.5);
        assert_eq!(cost.most, ("Seq Scan on a \"b\" (cost=1)".to_owned(), 90.25));
    }

    #[test]
    fn a_plan_is_as_deep_as_it_likes_and_what_is_none_is_an_error() {
        let mut json = r#"{"Node Type": "Result", "Total Cost": 7.0}"#.to_owned();
        for _ in 0..1_000 {
            json = format!(r#"{{"Node Type": "Append", "Total Cost": 7.0, "Plans": [{json}]}}"#);
        }
        let cost = Cost::read(&format!(r#"[{{"Plan": {json}}}]"#)).unwrap();
        assert_eq!((cost.total, cost.most.0.as_str()), (7.0, "Result"));
        for bad in ["", "[]", "[{}]", r#"[{"Plan": {"Node Type": "Result", "Total Cost": inf}}]"#] {
            assert!(Cost::read(bad).is_err(), "{bad}");
        }
    }
}
