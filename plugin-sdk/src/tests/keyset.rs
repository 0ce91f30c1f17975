//! Pages behind cursors.

use callslip_ir::{Domain, ParameterMode, Presence, Reply as ReplyDeclaration, Rows};

use super::tree;
use crate::{prelude::*, testing};

#[derive(Params)]
struct List {
    /// Where it begins.
    whatever: Keyset<20, 100>,
}

#[query(example(page_size = 10))]
fn list(p: List) -> Paged {
    let t = table("t");
    select(t.col("id")).from(t).keyset(p.whatever, (t.col("title").desc(), t.col("id")))
}

#[derive(Reply)]
struct Both {
    page: Paged,
    total: One,
}

#[query]
fn both(p: List) -> Result<Both> {
    let t = table("t");
    let page = select(t.col("id")).from(t).keyset(p.whatever, t.col("id"));
    Ok(Both { page, total: select(count_all().alias("n")).from(t).one() })
}

crate::export_plugin!(list, both);

#[test]
fn it_declares_a_cursor_and_a_size_by_names_of_their_own_and_its_query_a_page() {
    let manifest = PLUGIN.manifest();
    let [list, both] = &manifest.queries[..] else { panic!("two queries") };
    assert_eq!(list.reply, ReplyDeclaration::Single(Rows::Page));
    let ReplyDeclaration::Named(named) = &both.reply else { panic!("two statements") };
    assert_eq!(named.iter().map(|its| its.rows).collect::<Vec<_>>(), [Rows::Page, Rows::One]);
    let [cursor, size] = &list.parameters[..] else { panic!("two parameters") };
    assert_eq!((cursor.name.as_str(), cursor.doc.as_str()), ("cursor", "Where it begins."));
    assert_eq!((&cursor.ty.domain, cursor.mode), (&Domain::Cursor, ParameterMode::Bound));
    assert_eq!(cursor.presence, Presence::Optional);
    assert_eq!((size.name.as_str(), &size.presence), ("page_size", &Presence::Default("20".to_owned())));
    let range = size.range.as_ref().unwrap();
    assert_eq!((range.min.as_deref(), range.max.as_deref()), (Some("1"), Some("100")));
}

#[test]
fn the_plugin_describes_the_same_list_with_a_cursor_and_without() {
    let planned = |choices: &[(&str, &str)]| {
        let plan = testing::plan(&PLUGIN, "list", choices).unwrap();
        tree(&plan[0].shape, &plan[0].bindings)
    };
    let expected = "select t.id from t:t order by t.title Descending Unspecified, t.id Ascending Unspecified limit $page_size";
    assert_eq!(planned(&[]), expected);
    assert_eq!(planned(&[("cursor", "present")]), expected);
    assert!(testing::plan(&PLUGIN, "list", &[("whatever", "present")]).is_err());
    assert_eq!(testing::page(&PLUGIN, "list", &[]), Some(false));
    let cursor = crate::Choice { parameter: "cursor".to_owned(), value: "present".to_owned() };
    assert_eq!(testing::page(&PLUGIN, "both.page", std::slice::from_ref(&cursor)), Some(true));
    assert_eq!(testing::page(&PLUGIN, "both.total", &[cursor]), None);
}
