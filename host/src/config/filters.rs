use std::collections::BTreeMap;

use callslip_ir::QualifiedName;
use serde::Deserialize;

use super::ConfigError;
use crate::grants::filter;

/// `[filters]`, for every plugin, and `[plugins.NAME.filters]`, for one more: which rows of a relation a plugin is given. Where
/// both have a filter of a relation, a row has to pass both.
///
/// ```toml
/// [filters]
/// position = "company_id = claim('company')"
/// candidate = "country = ANY (claim('countries')) AND NOT archived"
/// "app.note" = "EXISTS (SELECT 1 FROM app.member m WHERE m.team_id = note.team_id AND m.user_id = claim('user'))"
/// ```
///
/// A name is looked for as that of a grant is. What stands behind it is a condition in SQL, over the columns of the relation,
/// which goes by its own name. Literals, operators, AND, OR and NOT, IS, IN, BETWEEN, LIKE, ANY and ALL, casts, CASE, calls of
/// functions that are not volatile, and queries `SELECT … FROM … WHERE …` may be in it, with the rights of the host's
/// login: nothing has to be granted for it. `claim('company')` is the value of a claim of the caller, of the type that it is
/// compared with, or that it is cast to, and otherwise a text. Where the caller has no such claim, or null, no row passes,
/// whatever the condition says.
///
/// A view of a filtered relation, and a table that it shares rows with, as a partition, a parent or a child does, can be read
/// only with a filter of its own. So can a view of a relation that the login may not read, since nobody can tell whose
/// rows these are. Where all rows may be read, `"true"` is that filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct FilterConfig(pub BTreeMap<String, String>);

impl FilterConfig {
    /// The filters: the name of a relation, and the condition.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(relation, sql)| (relation.as_str(), sql.as_str()))
    }

    /// Whether each can be read, as far as that can be told without a database.
    pub(super) fn check(&self, table: &str) -> Result<(), ConfigError> {
        for (relation, sql) in self.iter() {
            if let Err(problem) = filter::check(&QualifiedName::parse(relation), sql) {
                let (table, relation) = (table.to_owned(), relation.to_owned());
                return Err(ConfigError::Filter { table, relation, problem });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::Config;

    fn error(sql: &str) -> Option<String> {
        let text = format!("[filters]\nposition = {}", toml::Value::from(sql));
        Config::parse(&text, "".as_ref()).err().map(|error| error.to_string())
    }

    #[test]
    fn what_is_understood_is_taken() {
        for sql in [
            "company_id = claim('company')",
            "country = ANY(claim('countries')) AND NOT archived",
            "EXISTS (SELECT * FROM app.member m JOIN app.team t ON t.id = m.team_id WHERE m.user_id = claim('user'))",
            "company_id IN (SELECT company FROM member WHERE \"user\" = claim('user')) OR claim('admin') = 'yes'",
            "a BETWEEN 1 AND 2 * 3 AND b NOT LIKE 'x%' AND c IS NOT NULL AND d IN (1, 2) AND (e OR f) IS NOT TRUE",
            "CASE WHEN a THEN b > -1 ELSE coalesce(c, false) END AND d > now() - interval '1 day'",
            "a >= date '2026-01-01' AND b::text[] @> ARRAY['x'] AND (a, b) = (c, d) AND e = claim('e')::uuid",
            "a IS DISTINCT FROM lower(claim('b')) AND extract(year FROM born) > 2000 AND c OPERATOR(app.=) 2",
            "true",
        ] {
            assert_eq!(error(sql), None, "{sql}");
        }
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (sql, expected) in [
            ("company_id =", "it can't be read"),
            ("company_id = 1; DROP TABLE a", "it should end before `;`"),
            ("company_id = claim(company)", "a claim is named as in claim('company')"),
            ("company_id = claim('')", "a claim is named as in claim('company')"),
            ("company_id = $1", "this literal can't stand in a filter: `$1`"),
            ("a || b = c", "put parentheses around `a || b`"),
            ("a = b IS NULL", "put parentheses around"),
            ("NOT a = b = c", "put parentheses around"),
            ("x IN (SELECT a FROM b UNION SELECT c FROM d)", "more than SELECT … FROM … WHERE … can't stand"),
            ("EXISTS (SELECT 1 FROM a LIMIT 1)", "more than SELECT … FROM … WHERE … can't stand"),
            ("EXISTS (SELECT 1 FROM a JOIN b USING (c))", "a condition with ON"),
            ("EXISTS (SELECT 1 FROM generate_series(1, 2))", "only plain tables stand in its FROM"),
            ("EXISTS (SELECT 1 FROM a, a)", "the alias \"a\" names two relations"),
            ("sum(a) OVER () > 1", "this call can't stand in a filter"),
            ("a.b.c = 1", "a column is named as `column` or `relation.column`"),
        ] {
            let found = error(sql).unwrap_or_else(|| panic!("{sql} is taken"));
            assert!(found.contains("the filter of \"position\" in [filters]"), "{found}");
            assert!(found.contains(expected), "{sql}: {found}");
        }
        let deep = format!("{}a{}", "(".repeat(500), ")".repeat(500));
        assert!(error(&deep).unwrap().contains("can't be read"), "{:?}", error(&deep));
        assert!(error(&"a AND ".repeat(5_000)).unwrap().contains("the limit is 16384"));
        assert_eq!(error(&format!("a{}", " AND a".repeat(2_000))), None);
    }
}
