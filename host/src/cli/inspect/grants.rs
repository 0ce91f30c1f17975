//! `callslip inspect --grants`: what a plugin can see.

use std::io::{self, Write};

use anyhow::bail;
use serde_json::{Value, json};

use crate::catalog::ChosenSchemas;
use crate::cli::proof::{Proof, ProofArgs};
use crate::grants::{Visible, VisibleRelation};
use crate::printable::printable;

/// A query, or the plugin itself, and what it can see for each choice of schemas.
type Part = (Option<String>, Vec<(ChosenSchemas, Visible)>);

/// What was granted to a plugin, and beside that to single queries of it.
pub(super) struct Granted {
    name: String,
    /// Of the plugin, and then of each query that was granted something by itself; for each choice of schemas.
    parts: Vec<Part>,
}

impl Granted {
    /// Of a plugin of the configuration, whether or not it proves.
    pub(super) async fn of(name: &str, args: &ProofArgs) -> anyhow::Result<Self> {
        let config = args.host.read_config(Some(name))?;
        let queries: Vec<String> =
            config.plugins.get(name).into_iter().flat_map(|its| its.queries.keys().cloned()).collect();
        let proof: Proof = args.prove_config(config).await?;
        let generation = proof.generation();
        let Some(of_plugin) = generation.visible(name, None) else {
            match generation.plugin(name) {
                Some(Err(refusal)) => return Err(refusal.clone().into()),
                _ => bail!("there is no plugin \"{name}\""),
            }
        };
        let mut parts = vec![(None, of_plugin)];
        for query in queries {
            if let Some(visible) = generation.visible(name, Some(&query)) {
                parts.push((Some(query), visible));
            }
        }
        Ok(Self { name: name.to_owned(), parts })
    }

    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        for (query, choices) in &self.parts {
            for (chosen, visible) in choices {
                let mut head = match query {
                    None => format!("{} can see, beside what is built in", self.name),
                    Some(query) => format!("{}.{query} can see, beside what {} can", self.name, self.name),
                };
                if choices.len() > 1 {
                    head = format!("{head}, with {chosen}");
                }
                writeln!(out, "{head}:")?;
                print(out, visible)?;
                writeln!(out)?;
            }
        }
        Ok(())
    }

    pub(super) fn to_json(&self) -> Value {
        let part = |(query, choices): &Part| {
            let choice = |(chosen, visible): &(ChosenSchemas, Visible)| {
                let schemas: Value =
                    chosen.iter().map(|(logical, real)| (logical.to_owned(), Value::from(real))).collect();
                json!({
                    "schemas": schemas,
                    "relations": visible.relations.iter().map(relation_json).collect::<Vec<_>>(),
                    "functions": visible.functions,
                    "operators": visible.operators,
                    "casts": visible.casts,
                    "types": visible.types,
                })
            };
            json!({ "query": query, "choices": choices.iter().map(choice).collect::<Vec<_>>() })
        };
        json!({ "plugin": self.name, "grants": self.parts.iter().map(part).collect::<Vec<_>>() })
    }
}

fn print(out: &mut impl Write, visible: &Visible) -> io::Result<()> {
    if *visible == Visible::default() {
        return writeln!(out, "  nothing");
    }
    let line = |text: &str| printable(text, usize::MAX);
    for VisibleRelation { name, kind, columns, hidden, refused } in &visible.relations {
        let refused =
            if *refused { ", which is refused where it is read, as `callslip check` says" } else { "" };
        writeln!(out, "  {}", line(&format!("{kind} {name}{refused}")))?;
        for (column, ty) in columns {
            writeln!(out, "    {}", line(&format!("{column} {ty}")))?;
        }
        match hidden {
            0 => {}
            1 => writeln!(out, "    and not 1 more column")?,
            hidden => writeln!(out, "    and not {hidden} more columns")?,
        }
    }
    let lists = [
        ("function", &visible.functions),
        ("operator", &visible.operators),
        ("cast", &visible.casts),
        ("type", &visible.types),
    ];
    for (what, list) in lists {
        for its in list {
            writeln!(out, "  {}", line(&format!("{what} {its}")))?;
        }
    }
    Ok(())
}

fn relation_json(relation: &VisibleRelation) -> Value {
    let VisibleRelation { name, kind, columns, hidden, refused } = relation;
    let columns: Vec<Value> = columns.iter().map(|(name, ty)| json!({ "name": name, "type": ty })).collect();
    json!({ "name": name, "kind": kind, "columns": columns, "hidden_columns": hidden, "refused": refused })
}
