//! Tests of plugins without WebAssembly and without a database: what SQL a description becomes against a snapshot of the
//! catalog. The SDK's `assert_sql!` is made of this.

use std::fmt::Write as _;

use callslip_ir::{Binding, Description, snapshot};

use crate::catalog::{Catalog, SearchPath, Snapshot};
use crate::grants::Grants;
use crate::select::{self, Comment, Context, Finding, Limits};

/// The SQL of a statement as people read it, and what is bound to its parameters in a comment after it: without quotes that
/// say nothing, without `pg_catalog`, and with a clause a line. What runs is qualified and quoted throughout.
///
/// It is verified against the snapshot as the host does when it loads a plugin, but that everything in the snapshot that its
/// login may read is granted.
///
/// # Errors
/// What is wrong with the snapshot, or all findings, one a line.
pub fn sql(snapshot: &str, description: &Description, bindings: &[Binding]) -> Result<String, String> {
    written(snapshot, description, bindings, None)
}

/// The same of the page that a host makes of a statement: the first one, or the one behind a cursor.
///
/// # Errors
/// As of [`sql`].
pub fn page_sql(
    snapshot: &str,
    description: &Description,
    bindings: &[Binding],
    behind_a_cursor: bool,
) -> Result<String, String> {
    written(snapshot, description, bindings, Some(behind_a_cursor))
}

fn written(
    snapshot: &str,
    description: &Description,
    bindings: &[Binding],
    behind_a_cursor: Option<bool>,
) -> Result<String, String> {
    let snapshot = Snapshot::read(snapshot).map_err(|error| error.to_string())?;
    let (catalog, limits) = (Catalog::new(snapshot.contents.readable()), Limits::default());
    let grants = Grants::everything(&catalog);
    let context = Context {
        plugin: "this",
        catalog: &catalog,
        grants: &grants,
        path: &SearchPath::of(snapshot.search),
        limits: &limits,
        filters: select::RowFilters::none(),
    };
    let one_a_line =
        |findings: Vec<Finding>| findings.iter().map(Finding::to_string).collect::<Vec<_>>().join("\n");
    let mut verified = select::verify(description, context).map_err(one_a_line)?;
    let page = match behind_a_cursor {
        Some(behind) => Some(select::page(description, &verified, &catalog, behind).map_err(one_a_line)?),
        None => None,
    };
    if let Some(page) = &page {
        verified = select::verify(&page.description, context).map_err(one_a_line)?;
    }
    let described = page.as_ref().map_or(description, |page| &page.description);
    let lowered = select::lower(described, &verified);
    let comment = Comment { plugin: "this", query: "this", shape: "this", schemas: &[] };
    let printed = select::print(&lowered, &comment, &[], &limits).map_err(|finding| finding.to_string())?;
    // The comment that tells a DBA whose statement it is says nothing here.
    let mut sql = lines(&plain(printed.sql.split_once("*/ ").map_or("", |(_, sql)| sql)));
    for (index, parameter) in printed.parameters.iter().enumerate() {
        if index == 0 {
            sql.push('\n');
            sql.push_str(BOUND);
        } else {
            _ = write!(sql, ", ${}: ", index + 1);
        }
        let value = match bindings.get(parameter.slot.0 as usize) {
            Some(Binding::Parameter(name)) => name.clone(),
            Some(Binding::Claim(name)) => format!("claim {name}"),
            Some(Binding::Constant(Some(text))) => format!("'{}'", text.replace('\'', "''")),
            None if let Some(page) = &page => match page.key_of(parameter.slot) {
                Some(key) => format!("key {} of the cursor", key + 1),
                None => "1".to_owned(),
            },
            Some(Binding::Constant(None)) | None => "NULL".to_owned(),
        };
        sql.push_str(&value);
    }
    Ok(sql)
}

/// Asserts that a statement becomes this SQL, as [`sql`] writes it or as it runs. Where there is white space in the SQL, how
/// much does not matter; what is bound has to be the same to the letter.
///
/// # Panics
/// If it becomes another, with both; or with all findings, if it is none at all.
#[track_caller]
pub fn assert_sql(snapshot: &str, description: &Description, bindings: &[Binding], expected: &str) {
    assert_same(sql(snapshot, description, bindings), expected);
}

/// The same of the page that a host makes of a statement.
///
/// # Panics
/// As [`assert_sql`].
#[track_caller]
pub fn assert_page_sql(
    snapshot: &str,
    description: &Description,
    bindings: &[Binding],
    behind_a_cursor: bool,
    expected: &str,
) {
    assert_same(page_sql(snapshot, description, bindings, behind_a_cursor), expected);
}

#[track_caller]
fn assert_same(found: Result<String, String>, expected: &str) {
    match found {
        Err(findings) => panic!("the description does not verify:\n{findings}"),
        Ok(sql) if normal(&sql) == normal(expected) => {}
        Ok(sql) => panic!("the SQL is\n\n{sql}\n\nand not\n\n{}\n", expected.trim()),
    }
}

/// The SQL, however it was written, and what is bound to it, as it is.
fn normal(text: &str) -> (String, &str) {
    // Nothing that is printed has two minus signs side by side but the comment.
    let (sql, bound) = text.split_once(BOUND).unwrap_or((text, ""));
    // What runs begins with a comment for DBAs.
    let sql = match sql.trim_start().strip_prefix("/*").and_then(|sql| sql.split_once("*/")) {
        Some((_, sql)) => sql,
        None => sql,
    };
    (plain(sql), bound.trim_end())
}

/// What the comment begins with that says what is bound.
const BOUND: &str = "-- $1: ";

/// The names that stay in quotes, since they mean something else without. See PostgreSQL's documentation, appendix C, "SQL Key
/// Words": those that are reserved, and
/// two types that are others without.
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "binary",
    "bit",
    "both",
    "case",
    "cast",
    "char",
    "check",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "placing",
    "primary",
    "references",
    "returning",
    "right",
    "select",
    "session_user",
    "similar",
    "some",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
];

/// A piece of a statement.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    /// A name in quotes, without them.
    Name(&'a str),
    /// A text in quotes, with them.
    Literal(&'a str),
    /// A keyword, a number, or a name without quotes.
    Word(&'a str),
    Space,
    Other(char),
}

fn tokens(sql: &str) -> Vec<Token<'_>> {
    let in_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let (mut tokens, mut rest) = (Vec::new(), sql);
    while let Some(first) = rest.chars().next() {
        let (token, length) = if matches!(first, '"' | '\'') {
            // A quote within a name or a literal is written twice.
            let mut end = 1 + rest[1..].find(first).unwrap_or(rest.len() - 1);
            while rest[end..].starts_with([first, first].iter().collect::<String>().as_str()) {
                end += 2 + rest[end + 2..].find(first).unwrap_or(rest.len() - end - 2);
            }
            let closed = (end + 1).min(rest.len());
            (if first == '"' { Token::Name(&rest[1..end]) } else { Token::Literal(&rest[..closed]) }, closed)
        } else if in_word(first) {
            let end = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
            (Token::Word(&rest[..end]), end)
        } else if first.is_whitespace() {
            (Token::Space, rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len()))
        } else {
            (Token::Other(first), first.len_utf8())
        };
        tokens.push(token);
        rest = &rest[length..];
    }
    tokens
}

/// Without what only PostgreSQL needs, `OPERATOR("pg_catalog".=)` being `=` and `"p"."id"` being `p.id`, and with one space
/// where there is any.
fn plain(sql: &str) -> String {
    let mut plain = String::with_capacity(sql.len());
    let mut rest = &tokens(sql)[..];
    while let [first, after @ ..] = rest {
        rest = after;
        match (*first, after) {
            (Token::Word("OPERATOR"), [Token::Other('('), schema, Token::Other('.'), operator @ ..])
                if is_pg_catalog(*schema) =>
            {
                let end = operator.iter().position(|token| *token == Token::Other(')'));
                let (operator, after) = operator.split_at(end.unwrap_or(operator.len()));
                plain.extend(operator.iter().filter_map(|token| match token {
                    Token::Other(c) => Some(*c),
                    _ => None,
                }));
                rest = after.get(1..).unwrap_or_default();
            }
            (schema, [Token::Other('.'), after @ ..]) if is_pg_catalog(schema) => rest = after,
            (Token::Name(name), _) if is_plain(name) => plain.push_str(name),
            (Token::Name(name), _) => plain.extend(["\"", name, "\""]),
            (Token::Word(text) | Token::Literal(text), _) => plain.push_str(text),
            (Token::Space, [Token::Other(')'), ..]) => {}
            (Token::Space, _) if plain.ends_with('(') => {}
            (Token::Space, _) => plain.push(' '),
            (Token::Other(c), _) => plain.push(c),
        }
    }
    plain.trim().to_owned()
}

fn is_pg_catalog(token: Token<'_>) -> bool {
    matches!(token, Token::Name("pg_catalog") | Token::Word("pg_catalog"))
}

/// Whether a name is the same without quotes.
fn is_plain(name: &str) -> bool {
    snapshot::is_plain(name) && RESERVED.binary_search(&name).is_err()
}

/// With a line for each clause that is not in parentheses.
fn lines(sql: &str) -> String {
    let (mut lines, mut depth, mut before) = (String::with_capacity(sql.len()), 0_usize, Token::Space);
    let all = tokens(sql);
    for (at, token) in all.iter().enumerate() {
        match *token {
            Token::Name(name) => lines.extend(["\"", name, "\""]),
            Token::Word(text) | Token::Literal(text) => lines.push_str(text),
            Token::Other(c) => {
                match c {
                    '(' => depth += 1,
                    ')' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                lines.push(c);
            }
            Token::Space => {
                let begins_clause = match all.get(at + 1) {
                    // IS DISTINCT FROM, WITHIN GROUP.
                    Some(Token::Word("FROM")) if before == Token::Word("DISTINCT") => false,
                    Some(Token::Word("GROUP")) if before == Token::Word("WITHIN") => false,
                    Some(Token::Word(
                        "FROM" | "CROSS" | "NATURAL" | "WHERE" | "GROUP" | "HAVING" | "ORDER" | "LIMIT",
                    )) => true,
                    Some(Token::Word("LEFT" | "RIGHT" | "FULL")) => before != Token::Word("NATURAL"),
                    Some(Token::Word("JOIN")) => {
                        !matches!(before, Token::Word("LEFT" | "RIGHT" | "FULL" | "CROSS" | "NATURAL"))
                    }
                    Some(Token::Word("SELECT")) => before == Token::Other(')'),
                    _ => false,
                };
                lines.push(if begins_clause && depth == 0 { '\n' } else { ' ' });
                continue;
            }
        }
        before = *token;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{RESERVED, lines, normal, plain};

    #[test]
    fn what_only_postgresql_needs_is_left_out() {
        let sql = r#"CAST("p"."Odd name" AS "pg_catalog"."int4") OPERATOR("pg_catalog".=) ANY ("a"."b")"#;
        assert_eq!(plain(sql), r#"CAST(p."Odd name" AS int4) = ANY (a.b)"#);
        assert_eq!(plain(&plain(sql)), plain(sql));
    }

    #[test]
    fn names_that_mean_something_else_stay_in_quotes() {
        assert!(RESERVED.is_sorted());
        let sql = r#"SELECT "user"."order", "user"."2fa", "a""b" FROM "public"."user" AS "user""#;
        let expected = r#"SELECT "user"."order", "user"."2fa", "a""b" FROM public."user" AS "user""#;
        assert_eq!(plain(sql), expected);
        assert_eq!(plain(expected), expected);
    }

    #[test]
    fn a_literal_stays_as_it_is() {
        let sql = r#"JSON_TABLE("b"."details", E'$."a  ''b''\\" ( ' COLUMNS ("n" FOR ORDINALITY)) FROM x"#;
        let expected = r#"JSON_TABLE(b.details, E'$."a  ''b''\\" ( ' COLUMNS (n FOR ORDINALITY)) FROM x"#;
        assert_eq!(plain(sql), expected);
        assert_eq!(lines(expected), expected.replace(" FROM", "\nFROM"));
        assert_eq!(plain("'"), "'");
    }

    #[test]
    fn what_is_bound_is_compared_to_the_letter() {
        let same = |a, b| normal(a) == normal(b);
        assert!(same("SELECT  $1\n-- $1: 'a  b'", "\n  SELECT $1\n  -- $1: 'a  b'\n "));
        assert!(!same("SELECT $1\n-- $1: 'a  b ( c'", "SELECT $1\n-- $1: 'a b (c'"));
        let quoted = r#"SELECT $1 -- $1: 'say "hello" now', $2: '{"pg_catalog.a": 1}'"#;
        assert!(same(quoted, quoted));
        let unquoted = quoted.replace('"', "");
        assert!(normal(quoted) != normal(&unquoted));
        assert!(same("/* callslip a.b 1 */ SELECT x", "SELECT x"));
        for (one, other) in [
            (r#""a  b""#, r#""a b""#),
            (r#""a ( b""#, r#""a (b""#),
            (r#""of pg_catalog.y""#, r#""of y""#),
            (r#""my_pg_catalog"."x""#, "my_x"),
            (r#""pg_catalog"."char""#, "char"),
        ] {
            assert!(!same(one, other), "{one} is not {other}");
        }
    }

    #[test]
    fn each_clause_has_a_line() {
        let sql = "WITH a AS (SELECT 1 FROM b) SELECT x FROM a LEFT JOIN c ON (d) JOIN (SELECT 2 FROM e) AS f ON g WHERE h";
        let expected = "WITH a AS (SELECT 1 FROM b)\nSELECT x\nFROM a\nLEFT JOIN c ON (d)\nJOIN (SELECT 2 FROM e) AS f ON g\nWHERE h";
        assert_eq!(lines(sql), expected);
        assert_eq!(plain(expected), sql);
        assert_eq!(lines(r#"SELECT "paid FROM y" FROM p"#), "SELECT \"paid FROM y\"\nFROM p");
        let sql = "SELECT a IS DISTINCT FROM b, mode() WITHIN GROUP (ORDER BY c) FROM d GROUP BY a";
        let expected = "SELECT a IS DISTINCT FROM b, mode() WITHIN GROUP (ORDER BY c)\nFROM d\nGROUP BY a";
        assert_eq!(lines(sql), expected);
    }
}
