//! Names that a database may have and Rust may not: what an author reaches them by, and what SQL names.

use callslip_ir::NodeKind;
use callslip_sdk::{ForeignKey, prelude::*, rare::TableSample, testing};
use callslip_test_tables::hostile::{self, keys, prelude as unseen, über_uns};

/// An author who imports everything, where tables have the names of the SDK's and of Rust's own prelude. Which is meant has to
/// be said by an import or in full, as the compiler says; what the macros write means its own.
mod author {
    use callslip_sdk::prelude::*;
    use callslip_sdk::prelude::{Arg, Select, Sort};
    use tables::*;

    mod tables {
        callslip_sdk::schema!("tests/preludes.json");
    }

    #[derive(Sort)]
    pub enum By {
        Id,
    }

    #[derive(Params)]
    pub struct Wanted {
        #[param(default = 1, range = 1..=5)]
        least: Arg<i32>,
        names: ::std::option::Option<Arg<::std::vec::Vec<::std::string::String>>>,
        sorted: Sort<By>,
        open: bool,
    }

    #[derive(Claims)]
    pub struct Who {
        id: Arg<i32>,
    }

    #[derive(Reply)]
    pub struct Found {
        rows: Select,
        all: One,
    }

    #[derive(Clone, Copy, SqlEnum)]
    #[sql(type = "size")]
    pub enum Size {
        Small,
    }

    sql_type! {
        /// A type of the database.
        pub struct Place = "app.place";
    }

    #[query(example(least = 2, claims(id = 1)))]
    pub fn found(p: Wanted, who: Who) -> Found {
        let (o, v, s) = (Option::alias("o"), Vec::alias("v"), String::alias("s"));
        let counted = subquery!("counted", { id: v.id, n: count_all() }, |q| q.from(v).group_by(v.id));
        let wide = cte!("wide", { id: s.id, size: Size::Small }, |q| q.from(s));
        let listed = values!("listed", (id, name), [(1, "a")]);
        let rows = select((o.id, counted.n, wide.size, null_of::<Place>().alias("place")))
            .from(o)
            .join(counted, counted.id.eq(o.id))
            .join(wide, wide.id.ge(p.least))
            .join(listed, p.names.map(|names| listed.name.eq_any(names)).unwrap_or(true.into_expr()))
            .filter(p.open.then(|| o.id.eq(who.id)))
            .order_by(p.sorted.keys(|by| match by {
                By::Id => o.id.key(),
            }));
        Found { rows, all: select(count_all().alias("n")).from(table("option")).one() }
    }

    export_plugin!(found);
}

#[test]
fn tables_may_be_called_as_what_is_in_every_prelude() {
    let choices = [("names", "present"), ("sorted", "id"), ("open", "true")];
    let plan = testing::plan(&author::PLUGIN, "found", &choices).expect("the query is planned");
    assert_eq!(plan.iter().map(|statement| &statement.name[..]).collect::<Vec<_>>(), ["rows", "all"]);
}

/// The columns of a condition, as SQL names them.
fn columns(condition: Expr<bool>) -> Vec<String> {
    let nodes = testing::describe(select(1).from(table("t")).filter(condition)).shape.nodes;
    let column = |kind| match kind {
        NodeKind::Column { relation, name } => Some(format!("{relation}.{name}")),
        _ => None,
    };
    nodes.into_iter().filter_map(|node| column(node.kind)).collect()
}

#[test]
fn keys_have_the_names_of_their_constraints() {
    let (k, other) = (keys::Keywords::alias("k"), keys::Keywords::alias("other"));
    assert_eq!(columns(k.r#type().eq(other)), ["k.type", "other.type"]);
    assert_eq!(columns(k.crate_().eq(other)), ["k.crate", "other.crate"]);
    assert_eq!(columns(k.r#gen().eq(other)), ["k.gen", "other.gen"]);
    // Its whole name is no more than one of two that come to the same, but its short name is its own.
    let t = keys::Twins::alias("t");
    assert_eq!(columns(t.twins_b_fkey().eq(t)), ["t.a", "t.a", "t.b", "t.b"]);
    assert_eq!(columns(t.b_foreign_key().eq(t)), ["t.a", "t.b"]);
    assert_eq!(columns(t.sa_me().eq(t)), ["t.b", "t.b"]);
    let t = keys::Targets::alias("t");
    let _: ForeignKey<hostile::Shadowed> = t.app();
    let _: ForeignKey<hostile::public::Shadowed> = t.public();
    let _: ForeignKey<über_uns::Größe> = t.größe();
    assert_eq!(columns(t.größe().eq(über_uns::Größe::alias("g"))), ["t.שלום", "g.größe"]);
    assert_eq!(columns(t.targets().eq(hostile::Shadowed::alias("s"))), ["t.id", "s.in_app"]);
    assert_eq!(columns(t.a_b_c_d_e().eq(hostile::Shadowed::alias("s"))), ["t.id", "s.in_app"]);
}

#[test]
#[expect(clippy::clone_on_copy, clippy::useless_conversion, reason = "keys are named after these methods")]
fn keys_hide_no_method_of_tables() {
    let table = keys::Methods::table();
    let m: keys::Methods = keys::Methods::alias("m").only().clone().into();
    assert_eq!(columns(m.other().eq(table)), ["m.other_id", "methods.id"]);
    let sampled = m.tablesample(callslip_sdk::rare::bernoulli(1));
    let own: ForeignKey<keys::Methods> = m.alias_foreign_key();
    assert_eq!(columns(own.eq(sampled)), ["m.other_id", "m.id"]);
    assert_eq!(columns(m.methods_alias_id_fkey().eq(m)), ["m.other_id", "m.id"]);
    assert_eq!(columns(m.other().eq(m)), columns(m.methods_other_id_fkey().eq(m)));
    assert_eq!(columns(m.new().eq(m)), columns(m.into_foreign_key().eq(m)));
}

#[test]
fn what_cannot_be_seen_is_named_all_the_same() {
    let u = unseen::Unseen::alias("u");
    let seen = [
        (u.a_b.is_null(), "u.a\u{200b}b"),
        (u.evil.is_null(), "u.\u{202e}evil\u{202c}"),
        (u.front.is_null(), "u.\u{feff}front"),
        (u._٣٤.is_null(), "u.٣٤"),
    ];
    for (condition, column) in seen {
        assert_eq!(columns(condition), [column]);
    }
    let x = unseen::NoColumns::alias("x");
    let nodes = testing::describe(select(count_all()).from(x)).shape.nodes;
    assert!(nodes.iter().any(|node| matches!(&node.kind, NodeKind::Table(table) if table.alias == "x")));
}
