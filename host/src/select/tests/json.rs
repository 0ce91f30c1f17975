//! SQL/JSON and JSON_TABLE as a plugin that was written to do harm describes them.

use callslip_ir::{JsonTable, JsonTableColumn, SqlJson, SqlJsonBehavior, SqlJsonFunction, SqlJsonPassing};

use super::size::on_a_small_stack;
use super::*;

/// `SELECT $1 AS x FROM JSON_TABLE($2, '$' COLUMNS (columns)) AS j`.
fn sql_of_table(
    mut writer: Writer,
    columns: Vec<NodeId>,
    passing: Vec<SqlJsonPassing>,
) -> Result<String, Vec<Finding>> {
    let expression = writer.slot(SlotType::Declared(TypeName::parse("int4")));
    let context = writer.slot(SlotType::Context);
    let (path, alias) = ("$".to_owned(), "j".to_owned());
    let (path_name, on_error, column_aliases) = (None, None, vec![]);
    let table = JsonTable { context, path, path_name, passing, columns, on_error, alias, column_aliases };
    let from = writer.add(NodeKind::JsonTable(table));
    writer.query_of(expression, from, None);
    writer.sql()
}

fn nested(writer: &mut Writer, columns: Vec<NodeId>) -> NodeId {
    let path = "$".to_owned();
    writer.add(NodeKind::JsonTableColumn(JsonTableColumn::Nested { path, path_name: None, columns }))
}

fn ordinality(writer: &mut Writer) -> NodeId {
    writer.add(NodeKind::JsonTableColumn(JsonTableColumn::Ordinality { name: "n".into() }))
}

/// `x ty DEFAULT default ON EMPTY`.
fn value(writer: &mut Writer, ty: &str, default: Option<NodeId>) -> NodeId {
    writer.add(NodeKind::JsonTableColumn(JsonTableColumn::Value {
        name: "x".into(),
        ty: TypeName::parse(ty),
        format_json: false,
        path: None,
        wrapper: None,
        quotes: None,
        on_empty: default.map(SqlJsonBehavior::Default),
        on_error: None,
    }))
}

fn json_exists(writer: &mut Writer, context: NodeId, passing: Vec<SqlJsonPassing>) -> NodeId {
    let path = writer.slot(SlotType::Context);
    let function = SqlJsonFunction::Exists;
    let (returning, on_empty, on_error) = (None, None, None);
    writer.add(NodeKind::SqlJson(SqlJson { function, context, path, passing, returning, on_empty, on_error }))
}

fn codes(result: Result<String, Vec<Finding>>) -> Vec<Code> {
    result.unwrap_err().iter().map(|finding| finding.code).collect()
}

#[test]
fn the_deepest_columns_fit_on_a_small_stack() {
    let depth = Limits::default().depth;
    on_a_small_stack(move || {
        let mut writer = Writer::default();
        let mut column = ordinality(&mut writer);
        // Above it the table, the query's body and the query.
        for _ in 0..depth - 3 {
            column = nested(&mut writer, vec![column]);
        }
        let sql = sql_of_table(writer, vec![column], vec![]).unwrap();
        assert_eq!(sql.matches("NESTED PATH").count(), depth - 3);
    });
    on_a_small_stack(move || {
        let mut writer = Writer::default();
        let mut context = writer.slot(SlotType::Context);
        for _ in 0..depth - 2 {
            context =
                writer.add(NodeKind::Cast(callslip_ir::Cast { value: context, ty: TypeName::parse("text") }));
            context = json_exists(&mut writer, context, vec![]);
        }
        writer.query(context, None);
        assert_eq!(codes(writer.sql()), [Code::DescriptionTooLarge]);
    });
}

#[test]
fn a_column_stands_in_columns_and_nowhere_else() {
    let mut writer = Writer::default();
    let column = ordinality(&mut writer);
    writer.query(column, None);
    assert_eq!(codes(writer.sql()), [Code::InvalidStructure]);

    let mut writer = Writer::default();
    let not_a_column = writer.slot(SlotType::Context);
    assert_eq!(codes(sql_of_table(writer, vec![not_a_column], vec![])), [Code::InvalidStructure]);
    assert_eq!(codes(sql_of_table(Writer::default(), vec![], vec![])), [Code::InvalidStructure]);
}

#[test]
fn no_type_is_made_that_was_not_granted() {
    let mut writer = Writer::default();
    let column = value(&mut writer, "public.relname", None);
    assert_eq!(codes(sql_of_table(writer, vec![column], vec![])), [Code::TypeNotGranted]);
}

#[test]
fn a_default_does_not_run_an_ungranted_cast() {
    // From int4 to text there is a cast with a function that was not granted.
    for (declared, refused) in [("int4", true), ("text", false)] {
        let mut writer = Writer::default();
        let default = writer.slot(SlotType::Declared(TypeName::parse(declared)));
        let column = value(&mut writer, "text", Some(default));
        let result = sql_of_table(writer, vec![column], vec![]);
        assert_eq!(result.as_ref().err().map(|found| found[0].code), refused.then_some(Code::CastNotGranted));
    }
    let mut writer = Writer::default();
    let context = writer.column("n");
    let exists = json_exists(&mut writer, context, vec![]);
    writer.query(exists, None);
    assert_eq!(codes(writer.sql()), [Code::UnknownFunction]);
}

#[test]
fn what_is_passed_is_named_and_counted() {
    let mut writer = Writer::default();
    let passed = writer.slot(SlotType::Context);
    let column = ordinality(&mut writer);
    let passing = vec![SqlJsonPassing { value: passed, name: "x".repeat(64) }];
    assert_eq!(codes(sql_of_table(writer, vec![column], passing)), [Code::InvalidName]);
}

#[test]
fn an_older_server_is_told_by_its_version() {
    let mut writer = Writer::default();
    let context = writer.slot(SlotType::Context);
    let exists = json_exists(&mut writer, context, vec![]);
    let is = writer.add(NodeKind::Is(Is {
        value: exists,
        test: IsTest::Json { item: callslip_ir::JsonItem::Value, unique_keys: false },
        negated: false,
    }));
    writer.query(is, None);
    let nodes = writer.nodes.into_iter().map(|kind| Node { kind, place: None }).collect();
    let description = Description { slots: writer.slots, files: vec![], nodes };
    let catalog = Catalog::new(Contents { server_version: 150_018, ..catalog().contents().clone() });
    let settings = GrantSettings { relations: vec!["t".into()], ..GrantSettings::default() };
    let path = SearchPath::of(["public"]);
    let grants = Grants::resolve(&settings, &catalog, &path).unwrap();
    let limits = Limits::default();
    let context = Context {
        plugin: "p",
        catalog: &catalog,
        grants: &grants,
        path: &path,
        limits: &limits,
        filters: RowFilters::none(),
    };
    let found: Vec<String> =
        verify(&description, context).unwrap_err().iter().map(|finding| finding.message.clone()).collect();
    assert_eq!(
        found,
        [
            "IS JSON needs PostgreSQL 16; this server is 15.18",
            "JSON_EXISTS needs PostgreSQL 17; this server is 15.18",
            "IS JSON takes no bool",
        ]
    );
}
