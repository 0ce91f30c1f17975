//! The one place where SQL text is made.
//!
//! sea-query's own PostgreSQL builder can't be used: it numbers every value anew, sends values by their Rust type,
//! prints functions unqualified, and its text templates lose operands. This dialect takes what the lowering built
//! and prints it so that every name is quoted, every operand that is not atomic is in parentheses, every value is a
//! parameter with a declared type, and every piece of text comes from [`template`], but for paths of JSON_TABLE, which SQL
//! takes as literals only and which are quoted here. Whatever else an `Expr` can hold is refused as an error, since it
//! could carry text.

pub(super) mod template;
mod text;

use std::borrow::Cow;

use sea_query::{
    BinOper, DynIden, EscapeBuilder, ExplainStatement, Expr, Func, Keyword, LockClause, Oper,
    OperLeftAssocDecider, OrderExpr, PrecedenceDecider, QueryBuilder, Quote, QuotedBuilder, SelectDistinct,
    SelectInto, SqlWriter, SubQueryStatement, TableRef, TableRefBuilder, TypeRef, Value,
};

pub(super) use text::{Span, Text};

fn is_atomic(expr: &Expr) -> bool {
    match expr {
        Expr::Column(_) | Expr::Value(_) | Expr::Constant(_) => true,
        Expr::CustomWithExpr(Cow::Borrowed(template::PLACED), operands) => {
            operands.get(1).is_some_and(is_atomic)
        }
        Expr::CustomWithExpr(Cow::Borrowed(text), _) => template::is_atomic(text),
        _ => false,
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

    /// A text in quotes, as PostgreSQL's own `quote_literal` writes it. What a backslash is between plain quotes depends on
    /// the session (`standard_conforming_strings`); after an `E` it is always half of a pair, as which it is written.
    fn literal(&self, text: &str, sql: &mut impl SqlWriter) {
        if text.contains('\0') {
            return self.refuse(sql);
        }
        let quoted = text.replace('\'', "''");
        if text.contains('\\') {
            write(sql, "E'");
            write(sql, &quoted.replace('\\', "\\\\"));
        } else {
            write(sql, "'");
            write(sql, &quoted);
        }
        write(sql, "'");
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
            let digits = placeholder.trim_end_matches(['!', '-', '.', '~']);
            let Ok(index) = digits.parse::<usize>() else { return self.refuse(sql) };
            let how = &placeholder[digits.len()..];
            if let ".." | "~" = how {
                for (position, operand) in operands.iter().skip(index).enumerate() {
                    if position > 0 {
                        write(sql, if how == "~" { " " } else { ", " });
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
            Expr::Constant(Value::String(Some(text))) => self.literal(text, sql),
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
        let mut text = Text::new(1 << 20);
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
    fn a_literal_ends_where_its_text_ends() {
        let literal = |text: &str| print(&Expr::Constant(Value::String(Some(text.to_owned()))));
        for (text, printed) in [
            ("", "''"),
            ("$.editions[*]", "'$.editions[*]'"),
            ("$.a') AS x; DROP TABLE t; --", "'$.a'') AS x; DROP TABLE t; --'"),
            ("'", "''''"),
            // Whether a backslash escapes the quote after it or not, that quote is one of two.
            ("\\", r"E'\\'"),
            ("\\'", r"E'\\'''"),
            ("'\\", r"E'''\\'"),
            (r"\\'; --", r"E'\\\\''; --'"),
            ("$1 {0} /* */ \u{1} ü", "'$1 {0} /* */ \u{1} ü'"),
        ] {
            assert_eq!(literal(text).as_deref(), Ok(printed), "{text}");
        }
        assert!(literal("a\0b").is_err());
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
