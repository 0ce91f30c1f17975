//! Rows, arrays, and what is done with their parts.

use callslip_ir::{Access, AccessStep, Cast};

use super::size::on_a_small_stack;
use super::*;

/// The findings of an expression over `t`, by code and message.
fn findings(item: impl FnOnce(&mut Writer) -> NodeId) -> Vec<(Code, String)> {
    let mut writer = Writer::default();
    let item = item(&mut writer);
    writer.query(item, None);
    let findings = writer.sql().err().unwrap_or_default();
    findings.into_iter().map(|finding| (finding.code, finding.message)).collect()
}

impl Writer {
    fn row(&mut self, items: Vec<NodeId>) -> NodeId {
        self.add(NodeKind::Row(items))
    }

    fn cast(&mut self, value: NodeId, ty: &str) -> NodeId {
        self.add(NodeKind::Cast(Cast { value, ty: TypeName::parse(ty) }))
    }

    /// `ROW(t.b, t.n)`, whose second field is a text by somebody's cast only.
    fn leaking_row(&mut self) -> NodeId {
        let items = ["b", "n"].map(|name| self.column(name));
        self.row(items.into())
    }
}

#[test]
fn a_cast_of_a_part_does_not_run_an_ungranted_function() {
    let leaks = |item: &dyn Fn(&mut Writer) -> NodeId| {
        let found = findings(item);
        let is_leak =
            |(code, message): &(Code, String)| *code == Code::CastNotGranted && message.contains("app.leak");
        assert!(!found.is_empty() && found.iter().all(is_leak), "{found:?}");
    };
    leaks(&|writer| {
        let row = writer.leaking_row();
        writer.cast(row, "labelled")
    });
    leaks(&|writer| {
        let row = writer.leaking_row();
        let row = writer.row(vec![row]);
        writer.cast(row, "boxed")
    });
    leaks(&|writer| {
        let row = writer.leaking_row();
        let row = writer.row(vec![row]);
        let rows = writer.add(NodeKind::Array(vec![row]));
        writer.cast(rows, "boxed[]")
    });
    // A function that takes a composite is given a row.
    leaks(&|writer| {
        let row = writer.leaking_row();
        writer.add(NodeKind::Call(call("describe", vec![row])))
    });
    // The type of the relation's rows is not known here, so that a whole one is a record of its columns.
    leaks(&|writer| {
        let row = writer.add(NodeKind::WholeRow { relation: "t".into() });
        writer.cast(row, "labelled")
    });
    leaks(&|writer| {
        let (left, label) = (writer.leaking_row(), text(writer));
        let flag = writer.column("b");
        let right = writer.row(vec![flag, label]);
        writer.equals(left, right)
    });
    let fine = findings(|writer| {
        let (flag, label) = (writer.column("b"), text(writer));
        let row = writer.row(vec![flag, label]);
        writer.cast(row, "labelled")
    });
    assert_eq!(fine, []);
}

#[test]
fn a_comparison_of_rows_is_one_operator_that_was_granted() {
    let compared = |operator: &str, types: [&str; 2]| {
        findings(|writer| {
            let operator = match operator.split_once('.') {
                Some((schema, name)) => QualifiedName { schema: Some(schema.into()), name: name.into() },
                None => QualifiedName::new(operator),
            };
            let rows = [(); 2].map(|()| {
                let items = types.map(|ty| writer.add(NodeKind::Null(TypeName::parse(ty))));
                writer.row(items.into())
            });
            writer.add(NodeKind::Operation(Operation { operator, operands: rows.into() }))
        })
    };
    assert_eq!(compared("=", ["int4", "mood"]), []);
    assert_eq!(compared("public.=", ["labelled", "labelled"]), []);
    let mixed = "= is not one operator for all columns of the row".to_owned();
    assert_eq!(compared("=", ["int4", "labelled"]), [(Code::UnknownOperator, mixed)]);
    let ungranted = "the operator audit.= was not granted to the plugin p".to_owned();
    assert_eq!(compared("audit.=", ["boxed", "boxed"])[0], (Code::OperatorNotGranted, ungranted));
    let unordered = "there is no operator int4 < int4".to_owned();
    assert_eq!(compared("<", ["int4", "int4"])[0], (Code::UnknownOperator, unordered));
}

#[test]
fn a_whole_row_does_not_read_columns_that_the_login_may_not() {
    let mut writer = Writer::default();
    let item = writer.add(NodeKind::WholeRow { relation: "secretive".into() });
    writer.query(item, None);
    for node in &mut writer.nodes {
        if let NodeKind::Table(table) = node {
            table.name = RelationName::Stored(QualifiedName::new("secretive"));
            table.alias = "secretive".into();
        }
    }
    let findings = writer.sql().unwrap_err();
    assert_eq!(
        findings[0].to_string(),
        "CS0302: a whole row of secretive has columns that the host's login may not read; name the columns that you \
         want, or let the login read all of them"
    );
}

#[test]
fn parts_and_rows_fit_on_a_small_stack() {
    let depth = Limits::default().depth;
    let nested = |kind: fn(NodeId) -> NodeKind, text: &'static str| {
        on_a_small_stack(move || {
            let mut writer = Writer::default();
            let mut item = writer.column("n");
            for _ in 0..depth - 2 {
                item = writer.add(kind(item));
            }
            writer.query(item, None);
            // Of what has no such part the type is not known, and a finding stops the rest.
            if let Ok(sql) = writer.sql() {
                assert_eq!(sql.matches(text).count(), depth - 2);
            }
        });
    };
    nested(|item| NodeKind::Row(vec![item]), "ROW(");
    nested(|item| NodeKind::Array(vec![item]), "ARRAY[");
    nested(|value| NodeKind::Access(Access { value, step: AccessStep::Field("f".into()) }), ".");
    on_a_small_stack(move || {
        // Each is a subscript of the one before it.
        let mut writer = Writer::default();
        let mut item = writer.slot(SlotType::Declared(TypeName::parse("int4")));
        for _ in 0..depth - 2 {
            let value = writer.add(NodeKind::Parameter(SlotId(0)));
            item = writer.add(NodeKind::Access(Access { value, step: AccessStep::Index(item) }));
        }
        writer.query(item, None);
        assert_eq!(writer.sql().unwrap_err()[0].code, Code::UnknownOperator);
    });
    on_a_small_stack(move || {
        let mut writer = Writer::default();
        let (mut left, mut right) = (writer.column("n"), writer.column("n"));
        for _ in 0..depth - 4 {
            (left, right) = (writer.row(vec![left]), writer.row(vec![right]));
        }
        let row = writer.row(vec![left, right]);
        writer.query(row, None);
        assert_eq!(writer.sql().unwrap().matches("ROW(").count(), 2 * (depth - 4) + 1);
    });
}
