use std::io::{self, Write};

use callslip_ir::snapshot::{quoted, reference};

use super::{Printer, list};
use crate::catalog::{
    Column, ColumnPrivileges, ForeignKey, Generated, Identity, Index, ObjectName, Persistence, Policy,
    PolicyCommand, ReferentialAction, Relation, UniqueKey, View,
};
use crate::cli::table::{self, Table};
use crate::printable::printable;

impl<W: Write> Printer<'_, W> {
    pub(super) fn relation(&mut self, relation: &Relation) -> io::Result<()> {
        let kind = relation.kind.as_str();
        let what = format!("{kind} {}", reference(&relation.schema, &relation.name));
        self.object(&what, relation.comment.as_deref(), self.relation_facts(relation))?;
        self.columns(relation)?;
        self.keys(relation)?;
        self.checks(&relation.checks)?;
        for exclusion in &relation.exclusions {
            self.line(1, &format!("exclusion {}: {}", quoted(&exclusion.name), exclusion.definition))?;
        }
        for index in &relation.indexes {
            self.line(1, &index_line(index))?;
        }
        self.relatives(relation)?;
        self.row_security(relation)?;
        match &relation.view {
            Some(view) => self.view(view),
            None => Ok(()),
        }
    }

    fn relation_facts(&self, relation: &Relation) -> Vec<String> {
        let mut facts = self.facts(&relation.owner, relation.extension.as_deref(), true);
        match relation.persistence {
            Persistence::Permanent => {}
            Persistence::Unlogged => facts.push("unlogged".to_owned()),
            Persistence::Temporary => facts.push("temporary".to_owned()),
        }
        if let Some(server) = &relation.foreign_server {
            facts.push(format!("server {}", quoted(server)));
        }
        match same_privileges(relation) {
            Some(privileges) if privileges != ColumnPrivileges::default() => {
                facts.push(format!("this login may {}", may(privileges)));
            }
            _ => {}
        }
        facts
    }

    fn columns(&mut self, relation: &Relation) -> io::Result<()> {
        let uneven = !relation.columns.is_empty() && same_privileges(relation).is_none();
        let any = |is: fn(&Column) -> bool| relation.columns.iter().any(is);
        // The columns of the table that are not there for nothing.
        let shown = [
            ("column", true),
            ("type", true),
            ("null", true),
            (
                "default",
                any(|its| its.default.is_some() || its.identity.is_some() || its.generated.is_some()),
            ),
            ("key", true),
            ("this login may", uneven),
            ("comment", any(|its| its.comment.is_some())),
        ];
        let header = shown.iter().filter(|(_, shown)| *shown);
        let mut rows =
            Table::new(header.map(|(name, _)| table::Column { name: (*name).to_owned(), numeric: false }));
        for column in &relation.columns {
            let cells = [
                column.name.clone(),
                self.column_type(column),
                if column.nullable { "null" } else { "" }.to_owned(),
                default(column),
                self.keys_of(relation, &column.name),
                may(column.privileges),
                column.comment.clone().unwrap_or_default(),
            ];
            let cells = cells.into_iter().zip(&shown).filter(|(_, (_, shown))| *shown);
            rows.push(cells.map(|(cell, _)| Some(printable(&cell, usize::MAX))));
        }
        write!(self.out, "{rows}")?;
        match relation.hidden_columns {
            0 => Ok(()),
            1 => self.line(1, "and one column that this login may not read"),
            hidden => self.line(1, &format!("and {hidden} columns that this login may not read")),
        }
    }

    /// The type of a column: `varchar(40)`, `int4[][]`, `text collate "C"`.
    fn column_type(&self, column: &Column) -> String {
        let mut written = self.type_with(column.ty, column.type_modifier);
        if written.ends_with("[]") {
            written.push_str(&"[]".repeat(usize::from(column.dimensions).saturating_sub(1)));
        }
        match &column.collation {
            Some(collation) => format!("{written} collate {collation}"),
            None => written,
        }
    }

    /// The keys that are of this column alone.
    fn keys_of(&self, relation: &Relation, column: &str) -> String {
        let is_alone = |columns: &[String]| columns.len() == 1 && columns[0] == column;
        let unique = relation.unique_keys.iter().filter(|key| is_alone(&key.columns));
        let unique = unique.map(|key| kind_of_key(key).to_owned());
        let foreign = relation.foreign_keys.iter().filter(|key| is_alone(&key.columns)).filter_map(|key| {
            let target = self.catalog.relation_by_oid(key.target)?;
            let target = match target.schema == relation.schema {
                true => quoted(&target.name).into_owned(),
                false => reference(&target.schema, &target.name),
            };
            Some(format!("→ {target}.{}", quoted(key.target_columns.first()?)))
        });
        unique.chain(foreign).collect::<Vec<_>>().join(", ")
    }

    /// The unique keys, the foreign keys, and those of others that refer to this relation.
    fn keys(&mut self, relation: &Relation) -> io::Result<()> {
        for key in &relation.unique_keys {
            self.line(1, &unique_line(key))?;
        }
        for key in &relation.foreign_keys {
            let target = match self.catalog.relation_by_oid(key.target) {
                Some(target) => reference(&target.schema, &target.name),
                None => format!("relation {}", key.target),
            };
            self.line(1, &foreign_line(key, "", &target))?;
        }
        for other in &self.catalog.contents().relations {
            for key in other.foreign_keys.iter().filter(|key| key.target == relation.oid) {
                let of = format!(" of {}", reference(&other.schema, &other.name));
                self.line(1, &foreign_line(key, &of, "this"))?;
            }
        }
        Ok(())
    }

    /// Partitions, and what it is a partition of; what it inherits from, and what from it.
    fn relatives(&mut self, relation: &Relation) -> io::Result<()> {
        let own = ObjectName { schema: relation.schema.clone(), name: relation.name.clone() };
        if let Some(partitioning) = &relation.partitioning {
            self.line(1, &format!("partitioned by {}", partitioning.key))?;
        }
        if let Some(partition) = &relation.partition_of {
            self.line(1, &format!("partition of {} {}", partition.parent, partition.bounds))?;
        }
        for parent in &relation.inherits {
            self.line(1, &format!("inherits {parent}"))?;
        }
        for other in &self.catalog.contents().relations {
            let name = reference(&other.schema, &other.name);
            if let Some(partition) = other.partition_of.as_ref().filter(|its| its.parent == own) {
                self.line(1, &format!("partition {name} {}", partition.bounds))?;
            }
            if other.inherits.contains(&own) {
                self.line(1, &format!("inherited by {name}"))?;
            }
        }
        Ok(())
    }

    fn row_security(&mut self, relation: &Relation) -> io::Result<()> {
        let security = &relation.row_security;
        match (security.enabled, security.forced) {
            (true, true) => self.line(1, "row-level security is on, for the owner too")?,
            (true, false) => self.line(1, "row-level security is on")?,
            (false, _) if !security.policies.is_empty() => self.line(1, "row-level security is off")?,
            (false, _) => {}
        }
        for policy in &security.policies {
            self.line(1, &policy_line(policy))?;
        }
        Ok(())
    }

    fn view(&mut self, view: &View) -> io::Result<()> {
        if view.security_barrier {
            self.line(1, "security barrier: its own conditions come first")?;
        }
        if view.security_invoker {
            self.line(1, "security invoker: it reads with the rights of who reads it")?;
        }
        let joined = |names: Vec<String>| names.join(", ");
        if !view.reads.is_empty() {
            let reads = joined(view.reads.iter().map(ToString::to_string).collect());
            self.line(1, &format!("reads {reads}"))?;
        }
        if !view.calls.is_empty() {
            let calls = joined(view.calls.iter().map(ToString::to_string).collect());
            self.line(1, &format!("calls {calls}"))?;
        }
        self.line(1, "defined as")?;
        for line in view.definition.lines() {
            self.line(2, line)?;
        }
        Ok(())
    }
}

/// What the login may do with each column, if that is the same for all.
fn same_privileges(relation: &Relation) -> Option<ColumnPrivileges> {
    let first = relation.columns.first()?.privileges;
    relation.columns.iter().all(|column| column.privileges == first).then_some(first)
}

fn may(privileges: ColumnPrivileges) -> String {
    let ColumnPrivileges { select, insert, update, references } = privileges;
    let words = [(select, "select"), (insert, "insert"), (update, "update"), (references, "refer to it")];
    let words: Vec<_> = words.iter().filter(|(may, _)| *may).map(|(_, word)| *word).collect();
    if words.is_empty() { "do nothing".to_owned() } else { words.join(", ") }
}

/// Where the values of a column come from, if a row doesn't give them.
fn default(column: &Column) -> String {
    let default = column.default.as_deref().unwrap_or_default();
    match (column.identity, column.generated) {
        (Some(Identity::Always), _) => "identity, always".to_owned(),
        (Some(Identity::ByDefault), _) => "identity, by default".to_owned(),
        (_, Some(Generated::Stored)) => format!("generated: {default}"),
        (_, Some(Generated::Virtual)) => format!("generated when read: {default}"),
        (None, None) => default.to_owned(),
    }
}

fn kind_of_key(key: &UniqueKey) -> &'static str {
    match key {
        UniqueKey { primary: true, .. } => "primary key",
        UniqueKey { partial: true, .. } => "unique in part",
        _ => "unique",
    }
}

fn unique_line(key: &UniqueKey) -> String {
    let mut line = format!("{} {} {}", kind_of_key(key), quoted(&key.name), list(&key.columns));
    for (is, word) in [
        (key.nulls_not_distinct, "nulls not distinct"),
        (key.without_overlaps, "without overlaps"),
        (key.deferrable, "deferrable"),
    ] {
        if is {
            line.push_str(&format!(", {word}"));
        }
    }
    line
}

fn foreign_line(key: &ForeignKey, of: &str, target: &str) -> String {
    let (columns, targets) = (list(&key.columns), list(&key.target_columns));
    let mut line = format!("foreign key {}{of} {columns} → {target} {targets}", quoted(&key.name));
    for (when, action) in [("on update", key.on_update), ("on delete", key.on_delete)] {
        let action = match action {
            ReferentialAction::NoAction => continue,
            ReferentialAction::Restrict => "restrict",
            ReferentialAction::Cascade => "cascade",
            ReferentialAction::SetNull => "set null",
            ReferentialAction::SetDefault => "set default",
        };
        line.push_str(&format!(", {when} {action}"));
    }
    for (is, word) in [
        (key.period, "compared by containment in the last column"),
        (key.deferrable, "deferrable"),
        (!key.validated, "not validated"),
    ] {
        if is {
            line.push_str(&format!(", {word}"));
        }
    }
    line
}

fn index_line(index: &Index) -> String {
    let unique = if index.unique { "unique index" } else { "index" };
    let mut line = format!("{unique} {}: {} ({})", quoted(&index.name), index.method, index.keys.join(", "));
    if !index.included.is_empty() {
        line.push_str(&format!(" include {}", list(&index.included)));
    }
    if let Some(predicate) = &index.predicate {
        line.push_str(&format!(" where {predicate}"));
    }
    if !index.valid {
        line.push_str(", invalid");
    }
    line
}

fn policy_line(policy: &Policy) -> String {
    let command = match policy.command {
        PolicyCommand::All => "everything",
        PolicyCommand::Select => "select",
        PolicyCommand::Insert => "insert",
        PolicyCommand::Update => "update",
        PolicyCommand::Delete => "delete",
    };
    let restrictive = if policy.permissive { "" } else { "restrictive " };
    let roles: Vec<_> = policy.roles.iter().map(|role| quoted(role)).collect();
    let mut line =
        format!("{restrictive}policy {} for {command} to {}", quoted(&policy.name), roles.join(", "));
    for (what, condition) in [("using", &policy.using), ("with check", &policy.check)] {
        if let Some(condition) = condition {
            line.push_str(&format!(", {what} {condition}"));
        }
    }
    line
}
