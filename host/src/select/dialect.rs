//! The one place where SQL text is made.
//!
//! sea-query's own PostgreSQL builder can't be used: it numbers every value anew, sends values by their Rust type,
//! prints functions unqualified, and its text templates lose operands. This dialect takes what the lowering built
//! and prints it so that every name is quoted, every operand that is not atomic is in parentheses, every value is a
//! parameter with a declared type, and every piece of text comes from [`template`]. Whatever else an `Expr` can hold
//! is refused as an error, since it could carry text.

use std::borrow::Cow;
use std::fmt::{self, Write};

use sea_query::{
    BinOper, DynIden, EscapeBuilder, ExplainStatement, Expr, Func, Keyword, LockClause, Oper,
    OperLeftAssocDecider, OrderExpr, PrecedenceDecider, QueryBuilder, Quote, QuotedBuilder, SelectDistinct,
    SelectInto, SqlWriter, SubQueryStatement, TableRef, TableRefBuilder, TypeRef, Value,
};

/// The text that statements are made of. `{0}` is an operand, in parentheses unless it is atomic; `{0!}` is printed
/// as it is; `{0-}` is a query without parentheses; `{1..}` are all operands from 1, with commas.
pub(super) mod template {
    pub const PLACED: &str = "{0!}{1-}{2!}";
    pub const RELATION: &str = "\u{1}relation";

    pub const LIST: &str = "{0..}";
    pub const WORDS: &str = "{0!} {1!}";
    pub const GROUP: &str = "({0..})";

    pub const TYPE_MODIFIED: &str = "{0!}({1..})";
    pub const TYPE_ARRAY: &str = "{0!}[]";
    pub const CAST: &str = "CAST({0!} AS {1!})";
    pub const NULL: &str = "CAST(NULL AS {0!})";

    pub const PREFIX: &str = "{0!} {1}";
    pub const INFIX: &str = "{0} {1!} {2}";
    pub const AND: &str = "{0} AND {1}";
    pub const OR: &str = "{0} OR {1}";
    pub const NOT: &str = "NOT {0}";
    pub const COLLATE: &str = "{0} COLLATE {1!}";

    pub const IS_NULL: &str = "{0} IS NULL";
    pub const IS_NOT_NULL: &str = "{0} IS NOT NULL";
    pub const IS_TRUE: &str = "{0} IS TRUE";
    pub const IS_NOT_TRUE: &str = "{0} IS NOT TRUE";
    pub const IS_FALSE: &str = "{0} IS FALSE";
    pub const IS_NOT_FALSE: &str = "{0} IS NOT FALSE";
    pub const IS_UNKNOWN: &str = "{0} IS UNKNOWN";
    pub const IS_NOT_UNKNOWN: &str = "{0} IS NOT UNKNOWN";

    pub const BETWEEN: &str = "{0} BETWEEN {1} AND {2}";
    pub const NOT_BETWEEN: &str = "{0} NOT BETWEEN {1} AND {2}";
    pub const BETWEEN_SYMMETRIC: &str = "{0} BETWEEN SYMMETRIC {1} AND {2}";
    pub const NOT_BETWEEN_SYMMETRIC: &str = "{0} NOT BETWEEN SYMMETRIC {1} AND {2}";
    pub const DISTINCT_FROM: &str = "{0} IS DISTINCT FROM {1}";
    pub const NOT_DISTINCT_FROM: &str = "{0} IS NOT DISTINCT FROM {1}";
    pub const COALESCE: &str = "COALESCE({0..})";
    pub const NULLIF: &str = "NULLIF({0!}, {1!})";
    pub const GREATEST: &str = "GREATEST({0..})";
    pub const LEAST: &str = "LEAST({0..})";
    pub const GROUPING: &str = "GROUPING({0..})";
    pub const AT_TIME_ZONE: &str = "{0} AT TIME ZONE {1}";
    pub const OVERLAPS: &str = "({0!}, {1!}) OVERLAPS ({2!}, {3!})";
    pub const LIKE_ESCAPE: &str = "{0} LIKE {1} ESCAPE {2}";
    pub const NOT_LIKE_ESCAPE: &str = "{0} NOT LIKE {1} ESCAPE {2}";
    pub const ILIKE_ESCAPE: &str = "{0} ILIKE {1} ESCAPE {2}";
    pub const NOT_ILIKE_ESCAPE: &str = "{0} NOT ILIKE {1} ESCAPE {2}";
    pub const SIMILAR: &str = "{0} SIMILAR TO {1}";
    pub const NOT_SIMILAR: &str = "{0} NOT SIMILAR TO {1}";
    pub const SIMILAR_ESCAPE: &str = "{0} SIMILAR TO {1} ESCAPE {2}";
    pub const NOT_SIMILAR_ESCAPE: &str = "{0} NOT SIMILAR TO {1} ESCAPE {2}";
    pub const CURRENT_DATE: &str = "CURRENT_DATE";
    pub const CURRENT_TIME: &str = "CURRENT_TIME";
    pub const CURRENT_TIME_OF: &str = "CURRENT_TIME({0!})";
    pub const CURRENT_TIMESTAMP: &str = "CURRENT_TIMESTAMP";
    pub const CURRENT_TIMESTAMP_OF: &str = "CURRENT_TIMESTAMP({0!})";
    pub const LOCALTIME: &str = "LOCALTIME";
    pub const LOCALTIME_OF: &str = "LOCALTIME({0!})";
    pub const LOCALTIMESTAMP: &str = "LOCALTIMESTAMP";
    pub const LOCALTIMESTAMP_OF: &str = "LOCALTIMESTAMP({0!})";
    /// The field is one of a list of the host's own, and EXTRACT takes it in quotes.
    pub const EXTRACT: &str = "EXTRACT({0!} FROM {1})";

    pub const CASE: &str = "CASE {0!} END";
    pub const CASE_OF: &str = "CASE {0} {1!} END";
    pub const CASE_ELSE: &str = "CASE {0!} ELSE {1} END";
    pub const CASE_OF_ELSE: &str = "CASE {0} {1!} ELSE {2} END";
    pub const WHEN: &str = "WHEN {0} THEN {1}";

    pub const ARRAY: &str = "ARRAY[{0..}]";
    pub const SCALAR: &str = "({0-})";
    pub const EXISTS: &str = "EXISTS ({0-})";
    pub const ARRAY_OF: &str = "ARRAY({0-})";
    pub const IN_QUERY: &str = "{0} IN ({1-})";
    pub const NOT_IN_QUERY: &str = "{0} NOT IN ({1-})";
    pub const IN_LIST: &str = "{0} IN ({1..})";
    pub const NOT_IN_LIST: &str = "{0} NOT IN ({1..})";
    pub const ANY_QUERY: &str = "{0} {1!} ANY ({2-})";
    pub const ALL_QUERY: &str = "{0} {1!} ALL ({2-})";
    /// In a second pair of parentheses a subquery in the place of the array stays an expression.
    pub const ANY_ARRAY: &str = "{0} {1!} ANY (({2!}))";
    pub const ALL_ARRAY: &str = "{0} {1!} ALL (({2!}))";

    pub const CALL: &str = "{0!}({1..})";
    pub const CALL_STAR: &str = "{0!}(*)";
    pub const CALL_DISTINCT: &str = "{0!}(DISTINCT {1!})";
    pub const CALL_LIST: &str = "{0!}({1!})";
    pub const CALL_ORDERED: &str = "{0!}({1!} ORDER BY {2!})";
    pub const CALL_DISTINCT_ORDERED: &str = "{0!}(DISTINCT {1!} ORDER BY {2!})";
    pub const ARGUMENT_NAMED: &str = "{0!} => {1!}";
    pub const ARGUMENT_VARIADIC: &str = "VARIADIC {0!}";
    pub const WITHIN_GROUP: &str = "{0!} WITHIN GROUP (ORDER BY {1!})";
    pub const FILTER: &str = "{0!} FILTER (WHERE {1!})";
    pub const OVER: &str = "{0!} OVER ({1!})";
    pub const NOTHING: &str = "";
    pub const PARTITION_BY: &str = "PARTITION BY {0..}";
    pub const ORDER_BY: &str = "ORDER BY {0..}";
    pub const FRAME_ROWS: &str = "ROWS {0!}";
    pub const FRAME_RANGE: &str = "RANGE {0!}";
    pub const FRAME_GROUPS: &str = "GROUPS {0!}";
    pub const FRAME_BETWEEN: &str = "BETWEEN {0!} AND {1!}";
    pub const UNBOUNDED_PRECEDING: &str = "UNBOUNDED PRECEDING";
    pub const PRECEDING: &str = "{0} PRECEDING";
    pub const CURRENT_ROW: &str = "CURRENT ROW";
    pub const FOLLOWING: &str = "{0} FOLLOWING";
    pub const UNBOUNDED_FOLLOWING: &str = "UNBOUNDED FOLLOWING";
    pub const EXCLUDE_CURRENT_ROW: &str = "{0!} EXCLUDE CURRENT ROW";
    pub const EXCLUDE_GROUP: &str = "{0!} EXCLUDE GROUP";
    pub const EXCLUDE_TIES: &str = "{0!} EXCLUDE TIES";

    pub const ASCENDING: &str = "{0} ASC";
    pub const DESCENDING: &str = "{0} DESC";
    pub const NULLS_FIRST: &str = "{0!} NULLS FIRST";
    pub const NULLS_LAST: &str = "{0!} NULLS LAST";

    pub const ALIASED: &str = "{0!} AS {1!}";
    pub const ALIASED_COLUMNS: &str = "{0!} AS {1!} ({2..})";
    pub const SUBQUERY: &str = "({0-})";
    pub const LATERAL: &str = "LATERAL ({0-})";
    pub const JOIN: &str = "{0!} JOIN {1!} ON {2!}";
    pub const LEFT_JOIN: &str = "{0!} LEFT JOIN {1!} ON {2!}";
    pub const RIGHT_JOIN: &str = "{0!} RIGHT JOIN {1!} ON {2!}";
    pub const FULL_JOIN: &str = "{0!} FULL JOIN {1!} ON {2!}";
    pub const CROSS_JOIN: &str = "{0!} CROSS JOIN {1!}";
    pub const DISTINCT_ON: &str = "DISTINCT ON ({0!}) {1!}";

    pub const WITH: &str = "WITH {0!} {1-}";
    pub const CTE: &str = "{0!} AS ({1-})";
    pub const CTE_COLUMNS: &str = "{0!} ({2!}) AS ({1-})";
    pub const CTE_MATERIALIZED: &str = "{0!} AS MATERIALIZED ({1-})";
    pub const CTE_COLUMNS_MATERIALIZED: &str = "{0!} ({2!}) AS MATERIALIZED ({1-})";
    pub const CTE_NOT_MATERIALIZED: &str = "{0!} AS NOT MATERIALIZED ({1-})";
    pub const CTE_COLUMNS_NOT_MATERIALIZED: &str = "{0!} ({2!}) AS NOT MATERIALIZED ({1-})";
    pub const LIMIT: &str = "{0-} LIMIT {1}";
    pub const OFFSET: &str = "{0-} OFFSET {1}";
}

/// Whether what a template prints needs no parentheses as an operand.
fn is_atomic_template(text: &str) -> bool {
    use template::*;
    matches!(
        text,
        CAST | NULL
            | COALESCE
            | NULLIF
            | GREATEST
            | LEAST
            | GROUPING
            | EXTRACT
            | CURRENT_DATE
            | CURRENT_TIME
            | CURRENT_TIME_OF
            | CURRENT_TIMESTAMP
            | CURRENT_TIMESTAMP_OF
            | LOCALTIME
            | LOCALTIME_OF
            | LOCALTIMESTAMP
            | LOCALTIMESTAMP_OF
            | CASE
            | CASE_OF
            | CASE_ELSE
            | CASE_OF_ELSE
            | ARRAY
            | SCALAR
            | EXISTS
            | ARRAY_OF
            | CALL
            | CALL_STAR
            | CALL_DISTINCT
            | CALL_LIST
            | CALL_ORDERED
            | CALL_DISTINCT_ORDERED
            | WITHIN_GROUP
            | FILTER
            | OVER
    )
}

fn is_atomic(expr: &Expr) -> bool {
    match expr {
        Expr::Column(_) | Expr::Value(_) | Expr::Constant(_) => true,
        Expr::CustomWithExpr(Cow::Borrowed(template::PLACED), operands) => {
            operands.get(1).is_some_and(is_atomic)
        }
        Expr::CustomWithExpr(Cow::Borrowed(text), _) => is_atomic_template(text),
        _ => false,
    }
}

/// Where the text of a node stands in a statement, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub node: u32,
    pub start: usize,
    pub end: usize,
}

/// Collects the text, the numbers of the parameters, and where each node stands.
#[derive(Debug, Default)]
pub(super) struct Text {
    sql: String,
    /// For each parameter in the order of its number, which of the lowered ones it is.
    pub numbered: Vec<u32>,
    pub spans: Vec<Span>,
    open: Vec<(u32, usize)>,
    /// What could not be printed. The text is of no use then.
    pub refused: Option<String>,
}

impl Text {
    pub fn refuse(&mut self, what: &str) {
        self.refused.get_or_insert_with(|| what.to_owned());
    }

    /// The `$n` of a parameter: one number for each, however often it is used.
    fn number(&mut self, parameter: u32) -> usize {
        if let Some(index) = self.numbered.iter().position(|&its| its == parameter) {
            return index + 1;
        }
        self.numbered.push(parameter);
        self.numbered.len()
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.sql.push_str(text);
        Ok(())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sql)
    }
}

impl SqlWriter for Text {
    fn push_param<T: QueryBuilder>(&mut self, value: Value, _: &T) {
        match value {
            Value::Unsigned(Some(parameter)) => {
                let number = self.number(parameter);
                self.sql.push('$');
                self.sql.push_str(&number.to_string());
            }
            Value::BigUnsigned(Some(node)) => self.open.push((node as u32, self.sql.len())),
            Value::BigUnsigned(None) => {
                if let Some((node, start)) = self.open.pop() {
                    self.spans.push(Span { node, start, end: self.sql.len() });
                }
            }
            _ => self.refuse("a value that is not a parameter"),
        }
    }

    fn as_writer(&mut self) -> &mut dyn Write {
        self
    }
}

/// Prints, given the type that each lowered parameter is bound as.
pub(super) struct Dialect<'a> {
    pub types: &'a [Expr],
}

/// Writing to [`Text`] never fails; sea-query's builder gives an error no other way out.
fn write(sql: &mut impl SqlWriter, text: &str) {
    _ = sql.write_str(text);
}

impl Dialect<'_> {
    /// Prints a query without parentheses.
    pub fn print(&self, query: &Expr, text: &mut Text) {
        self.query(query, text);
    }

    /// The mark of a refusal travels as a value, since the builder's methods return nothing.
    fn refuse(&self, sql: &mut impl SqlWriter) {
        sql.push_param(Value::Bool(None), self);
    }

    fn operand(&self, expr: &Expr, sql: &mut impl SqlWriter) {
        let parentheses = !is_atomic(expr);
        if parentheses {
            write(sql, "(");
        }
        self.prepare_expr(expr, sql);
        if parentheses {
            write(sql, ")");
        }
    }

    fn query(&self, expr: &Expr, sql: &mut impl SqlWriter) {
        match expr {
            Expr::SubQuery(None, statement) => self.prepare_query_statement(statement, sql),
            other => self.prepare_expr(other, sql),
        }
    }

    fn fill(&self, template: &'static str, operands: &[Expr], sql: &mut impl SqlWriter) {
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            write(sql, before);
            let Some((placeholder, after)) = after.split_once('}') else { return self.refuse(sql) };
            rest = after;
            let digits = placeholder.trim_end_matches(['!', '-', '.']);
            let Ok(index) = digits.parse::<usize>() else { return self.refuse(sql) };
            let how = &placeholder[digits.len()..];
            if how == ".." {
                for (position, operand) in operands.iter().skip(index).enumerate() {
                    if position > 0 {
                        write(sql, ", ");
                    }
                    self.prepare_expr(operand, sql);
                }
                continue;
            }
            let Some(operand) = operands.get(index) else { return self.refuse(sql) };
            match how {
                "" => self.operand(operand, sql),
                "!" => self.prepare_expr(operand, sql),
                "-" => self.query(operand, sql),
                _ => return self.refuse(sql),
            }
        }
        write(sql, rest);
    }
}

impl QueryBuilder for Dialect<'_> {
    fn placeholder(&self) -> (&'static str, bool) {
        ("$", true)
    }

    fn prepare_expr(&self, expr: &Expr, sql: &mut impl SqlWriter) {
        match expr {
            // Text that is borrowed for ever is in the host's own program; a plugin's would be owned.
            Expr::CustomWithExpr(Cow::Borrowed(template), operands) => self.fill(template, operands, sql),
            Expr::Custom(Cow::Borrowed(text)) => write(sql, text),
            Expr::Column(column) => self.prepare_column_ref(column, sql),
            Expr::Value(Value::Unsigned(Some(parameter))) => {
                write(sql, "CAST(");
                sql.push_param(Value::Unsigned(Some(*parameter)), self);
                write(sql, " AS ");
                match self.types.get(*parameter as usize) {
                    Some(ty) => self.prepare_expr(ty, sql),
                    None => self.refuse(sql),
                }
                write(sql, ")");
            }
            Expr::Value(mark @ Value::BigUnsigned(_)) => sql.push_param(mark.clone(), self),
            Expr::Constant(Value::Int(Some(number))) => write(sql, &number.to_string()),
            // The name of an operator, for which sea-query has no node: its symbol can't be quoted.
            Expr::TypeName(operator) => self.prepare_type_ref(operator, sql),
            _ => self.refuse(sql),
        }
    }

    fn prepare_type_ref(&self, operator: &TypeRef, sql: &mut impl SqlWriter) {
        const SYMBOLS: &str = "+-*/<>=~!@#%^&|`?";
        let TypeRef(Some(schema), symbol) = operator else { return self.refuse(sql) };
        let symbol = symbol.inner();
        if symbol.is_empty()
            || !symbol.chars().all(|c| SYMBOLS.contains(c))
            || symbol.contains("--")
            || symbol.contains("/*")
        {
            return self.refuse(sql);
        }
        write(sql, "OPERATOR(");
        self.prepare_schema_name(schema, sql);
        write(sql, ".");
        write(sql, &symbol);
        write(sql, ")");
    }

    fn prepare_query_statement(&self, statement: &SubQueryStatement, sql: &mut impl SqlWriter) {
        match statement {
            SubQueryStatement::SelectStatement(select) => self.prepare_select_statement(select, sql),
            _ => self.refuse(sql),
        }
    }

    fn prepare_table_ref(&self, table: &TableRef, sql: &mut impl SqlWriter) {
        match table {
            TableRef::FunctionCall(call, _) => match (call.get_func(), call.get_args()) {
                (Func::Custom(name), [relation]) if name.inner() == template::RELATION => {
                    self.prepare_expr(relation, sql);
                }
                _ => self.refuse(sql),
            },
            _ => self.refuse(sql),
        }
    }

    fn prepare_select_distinct(&self, distinct: &SelectDistinct, sql: &mut impl SqlWriter) {
        match distinct {
            SelectDistinct::Distinct => write(sql, "DISTINCT"),
            _ => self.refuse(sql),
        }
    }

    /// The items of ORDER BY are whole expressions, direction included.
    fn prepare_order(&self, _: &OrderExpr, _: &mut impl SqlWriter) {}

    fn prepare_value(&self, _: Value, sql: &mut impl SqlWriter) {
        self.refuse(sql);
    }

    fn prepare_constant(&self, _: &Value, sql: &mut impl SqlWriter) {
        self.refuse(sql);
    }

    fn prepare_keyword(&self, _: &Keyword, sql: &mut impl SqlWriter) {
        self.refuse(sql);
    }

    fn prepare_function_name(&self, _: &Func, sql: &mut impl SqlWriter) {
        self.refuse(sql);
    }

    fn prepare_bin_oper(&self, _: &BinOper, sql: &mut impl SqlWriter) {
        self.refuse(sql);
    }

    fn prepare_select_lock(&self, _: &LockClause, sql: &mut impl SqlWriter) {
        self.refuse(sql);
    }

    fn prepare_select_into(&self, _: &SelectInto, sql: &mut impl SqlWriter) {
        self.refuse(sql);
    }

    fn prepare_explain_statement(&self, _: &ExplainStatement, sql: &mut impl SqlWriter) {
        self.refuse(sql);
    }
}

impl QuotedBuilder for Dialect<'_> {
    fn quote(&self) -> Quote {
        Quote::new(b'"')
    }

    /// sea-query prints an identifier that calls itself safe without escaping it; here none is believed.
    fn prepare_iden(&self, name: &DynIden, sql: &mut impl SqlWriter) {
        let name = name.inner();
        if name.is_empty() || name.contains('\0') {
            return self.refuse(sql);
        }
        write(sql, "\"");
        write(sql, &name.replace('"', "\"\""));
        write(sql, "\"");
    }
}

impl EscapeBuilder for Dialect<'_> {}
impl TableRefBuilder for Dialect<'_> {}

impl OperLeftAssocDecider for Dialect<'_> {
    fn well_known_left_associative(&self, _: &BinOper) -> bool {
        false
    }
}

impl PrecedenceDecider for Dialect<'_> {
    fn inner_expr_well_known_greater_precedence(&self, inner: &Expr, _: &Oper) -> bool {
        is_atomic(inner)
    }
}

#[cfg(test)]
mod tests {
    use sea_query::{ColumnName, ColumnRef, IntoIden, Query, SchemaName, TableName};

    use super::*;

    fn print(expr: &Expr) -> Result<String, String> {
        let types = [Expr::Column(ColumnRef::Column(ColumnName(None, "int4".into_iden())))];
        let mut text = Text::default();
        Dialect { types: &types }.print(expr, &mut text);
        match &text.refused {
            Some(refused) => Err(refused.clone()),
            None => Ok(text.to_string()),
        }
    }

    fn column(name: &str) -> Expr {
        Expr::Column(ColumnRef::Column(ColumnName(None, name.to_owned().into_iden())))
    }

    fn fill(template: &'static str, operands: Vec<Expr>) -> Expr {
        Expr::CustomWithExpr(Cow::Borrowed(template), operands)
    }

    fn slot(parameter: u32) -> Expr {
        Expr::Value(Value::Unsigned(Some(parameter)))
    }

    fn operator(schema: &str, symbol: &str) -> Expr {
        let schema = SchemaName(None, schema.to_owned().into_iden());
        Expr::TypeName(TypeRef(Some(schema), symbol.to_owned().into_iden()))
    }

    #[test]
    fn a_name_stays_a_name_whatever_is_in_it() {
        assert_eq!(print(&column("a\" , (SELECT 1) AS \"b")).unwrap(), "\"a\"\" , (SELECT 1) AS \"\"b\"");
        assert_eq!(print(&column("it's -- /* $1 */ \\")).unwrap(), "\"it's -- /* $1 */ \\\"");
        // An identifier that calls itself safe is quoted like any other.
        let safe = Expr::Column(ColumnRef::Column(ColumnName(None, DynIden::from("a\"b"))));
        assert_eq!(print(&safe).unwrap(), "\"a\"\"b\"");
        assert!(print(&column("")).is_err());
        assert!(print(&column("a\0b")).is_err());
    }

    #[test]
    fn an_operand_that_is_not_atomic_is_in_parentheses() {
        let sum = fill(template::INFIX, vec![column("a"), operator("pg_catalog", "-"), column("b")]);
        let nested = fill(template::INFIX, vec![column("c"), operator("pg_catalog", "-"), sum.clone()]);
        let expected = "\"c\" OPERATOR(\"pg_catalog\".-) (\"a\" OPERATOR(\"pg_catalog\".-) \"b\")";
        assert_eq!(print(&nested).unwrap(), expected);
        let and = fill(template::AND, vec![column("p"), column("q")]);
        let between = fill(template::BETWEEN, vec![column("x"), and, column("r")]);
        assert_eq!(print(&between).unwrap(), "\"x\" BETWEEN (\"p\" AND \"q\") AND \"r\"");
        let negated = fill(template::PREFIX, vec![operator("pg_catalog", "-"), sum]);
        let expected = "OPERATOR(\"pg_catalog\".-) (\"a\" OPERATOR(\"pg_catalog\".-) \"b\")";
        assert_eq!(print(&negated).unwrap(), expected);
    }

    #[test]
    fn a_parameter_has_one_number_however_often_it_is_used() {
        let twice = fill(template::COALESCE, vec![slot(0), slot(0)]);
        assert_eq!(print(&twice).unwrap(), "COALESCE(CAST($1 AS \"int4\"), CAST($1 AS \"int4\"))");
        assert!(print(&slot(1)).is_err(), "a parameter without a type");
    }

    #[test]
    fn text_that_is_not_the_host_s_own_is_refused() {
        let evil = || "1; DROP TABLE t".to_owned();
        let table = TableName(None, "t".into_iden());
        let update = Query::update().table("t").value("a", 1).to_owned();
        let refused = [
            Expr::Custom(Cow::Owned(evil())),
            Expr::CustomWithExpr(Cow::Owned(evil()), vec![]),
            Expr::Keyword(Keyword::Custom(evil().into_iden())),
            Expr::FunctionCall(Func::cust(evil())),
            Expr::Value(Value::String(Some(evil()))),
            Expr::Value(Value::Int(Some(1))),
            Expr::Constant(Value::String(Some(evil()))),
            Expr::Values(vec![Value::Int(Some(1))]),
            Expr::Binary(Box::new(column("a")), BinOper::Custom("; DROP"), Box::new(column("b"))),
            Expr::Tuple(vec![column("a")]),
            Expr::SubQuery(None, Box::new(SubQueryStatement::UpdateStatement(update))),
            operator("pg_catalog", "= 1; --"),
            operator("pg_catalog", "--"),
            operator("pg_catalog", "/*"),
            operator("pg_catalog", ""),
            // A subquery by itself has no parentheses of its own where an operand is printed bare.
            fill(
                template::NOT,
                vec![Expr::SubQuery(None, Box::new(SubQueryStatement::SelectStatement(Query::select())))],
            ),
            fill(
                template::SCALAR,
                vec![Expr::SubQuery(
                    None,
                    Box::new(SubQueryStatement::SelectStatement(
                        Query::select().expr(column("a")).from(table).to_owned(),
                    )),
                )],
            ),
            fill(
                template::SCALAR,
                vec![Expr::SubQuery(
                    None,
                    Box::new(SubQueryStatement::SelectStatement(
                        Query::select().expr(column("a")).lock_exclusive().to_owned(),
                    )),
                )],
            ),
            fill("{7}", vec![]),
            fill("{", vec![]),
        ];
        for expr in refused {
            assert!(print(&expr).is_err(), "{expr:?} is printed as {:?}", print(&expr));
        }
    }
}
