/// A relation that statements may read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GuardedRelation {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// The role that owns it, if its policies would not hold for that role; nothing for what is no table, and where they
    /// are forced. It is the owner that the catalog knows: PostgreSQL is asked, too, whose the relation is now.
    pub exempt: Option<String>,
}

impl GuardedRelation {
    /// Asks for one of these whose owner's rights the session has, so that its policies don't hold for it: a row of its
    /// `owned_schema`, `owned_name` and `owner`, or none.
    ///
    /// What a snapshot shows of owners is as old as the transaction may be: so the known ones count as well. Who has whose
    /// rights is asked of a function, which knows it as of now.
    pub(super) fn owned(relations: &[Self]) -> String {
        format!(
            "SELECT guarded.schema AS owned_schema, guarded.name AS owned_name, owners.role AS owner FROM {} \
             CROSS JOIN LATERAL (VALUES (CASE WHEN NOT (c.relrowsecurity AND c.relforcerowsecurity) \
             THEN CAST(pg_catalog.pg_get_userbyid(c.relowner) AS pg_catalog.text) END), (guarded.owner)) AS owners (role) \
             WHERE pg_catalog.pg_has_role(pg_catalog.to_regrole(pg_catalog.quote_ident(owners.role)), 'USAGE') LIMIT 1",
            tables(relations)
        )
    }

    /// Asks for one of these whose policies don't hold for the session as of now, though it has not the rights of the owner that
    /// its snapshot shows: a row of its `exempt_schema` and `exempt_name`, or none.
    pub(super) fn exempt(relations: &[Self]) -> String {
        format!(
            "SELECT guarded.schema AS exempt_schema, guarded.name AS exempt_name FROM {} \
             WHERE c.relrowsecurity AND NOT pg_catalog.row_security_active(c.oid) \
             AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE') LIMIT 1",
            tables(relations)
        )
    }
}

/// These, `guarded`, each with its table `c`, if the snapshot shows one.
fn tables(relations: &[GuardedRelation]) -> String {
    let schemas = array(relations.iter().map(|its| Some(its.schema.as_str())));
    let names = array(relations.iter().map(|its| Some(its.name.as_str())));
    let owners = array(relations.iter().map(|its| its.exempt.as_deref()));
    format!(
        "ROWS FROM (pg_catalog.unnest(CAST({schemas} AS pg_catalog.text[])), \
         pg_catalog.unnest(CAST({names} AS pg_catalog.text[])), \
         pg_catalog.unnest(CAST({owners} AS pg_catalog.text[]))) AS guarded (schema, name, owner) \
         LEFT JOIN (pg_catalog.pg_namespace AS n \
            JOIN pg_catalog.pg_class AS c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid \
            AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog.\"char\"[])) \
         ON n.nspname OPERATOR(pg_catalog.=) CAST(guarded.schema AS pg_catalog.name) \
            AND c.relname OPERATOR(pg_catalog.=) CAST(guarded.name AS pg_catalog.name)"
    )
}

/// The text of an array, as SQL has it.
pub(super) fn array<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let elements: Vec<String> = texts.map(|text| text.map_or_else(|| "NULL".to_owned(), quoted)).collect();
    format!("'{{{}}}'", elements.join(",").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_have_any_character() {
        let names = [Some("it's \"x\"\\"), None, Some("NULL"), Some("")];
        assert_eq!(array(names.into_iter()), r#"'{"it''s \"x\"\\",NULL,"NULL",""}'"#);
        assert_eq!(array([].into_iter()), "'{}'");
    }
}
