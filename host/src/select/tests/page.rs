//! What there can be pages of.

use callslip_ir::{Direction, Limit, Nulls, Order};

use super::*;
use crate::select::page;

/// `SELECT t.n AS x FROM t ORDER BY t.n LIMIT slot`, changed.
fn refusal(change: impl FnOnce(&mut Writer, &mut Query)) -> Option<String> {
    let mut writer = Writer::default();
    let item = writer.column("n");
    writer.query(item, None);
    let Some(NodeKind::Query(mut query)) = writer.nodes.pop() else { panic!("a query") };
    let key = writer.column("n");
    query.order_by.push(Order {
        expression: key,
        direction: Direction::Ascending,
        nulls: Nulls::Unspecified,
    });
    let count = writer.slot(SlotType::Declared(TypeName::parse("int4")));
    query.limit = Some(Limit { count, with_ties: false });
    change(&mut writer, &mut query);
    writer.add(NodeKind::Query(query));
    let Writer { nodes, slots } = writer;
    let nodes = nodes.into_iter().map(|kind| Node { kind, place: None }).collect();
    let description = Description { slots, files: vec![], nodes };
    let (catalog, path, limits) = (catalog(), SearchPath::of(["public"]), Limits::default());
    let grants = Grants::everything(&catalog);
    let context = Context {
        plugin: "p",
        catalog: &catalog,
        grants: &grants,
        path: &path,
        limits: &limits,
        filters: RowFilters::none(),
    };
    let verified = verify(&description, context).unwrap();
    let made = [false, true].map(|behind| page(&description, &verified, &catalog, behind));
    match made {
        [Ok(first), Ok(next)] => {
            assert_eq!((first.keys, first.cursor.len(), next.cursor.len()), (1, 0, 1));
            for page in [&first, &next] {
                structure::check(&page.description, &limits).unwrap();
            }
            None
        }
        [Err(first), Err(next)] => {
            assert_eq!(first, next);
            assert!(first[0].help.is_some());
            Some(first[0].message.clone())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_list_with_keys_and_a_size_has_pages_and_no_other_does() {
    assert_eq!(refusal(|_, _| {}), None);
    assert_eq!(
        refusal(|_, query| query.order_by[0].direction = Direction::Descending),
        None,
        "a key may go down"
    );
    let told = |change: fn(&mut Writer, &mut Query)| refusal(change).unwrap();
    let ties = |_: &mut Writer, query: &mut Query| query.limit.as_mut().unwrap().with_ties = true;
    assert_eq!(told(ties), "the LIMIT of a page is no parameter");
    let offset = |writer: &mut Writer, query: &mut Query| {
        query.offset = Some(writer.slot(SlotType::Declared(TypeName::parse("int4"))));
    };
    assert_eq!(told(offset), "a page has no OFFSET");
    let distinct = |writer: &mut Writer, query: &mut Query| {
        let on = writer.column("n");
        let Some(NodeKind::Select(mut select)) = writer.nodes.get(query.body.0 as usize).cloned() else {
            panic!("a select")
        };
        select.distinct = Distinct::On(vec![on]);
        // Its children come before it.
        let old = std::mem::replace(
            &mut writer.nodes[query.body.0 as usize],
            NodeKind::Null(TypeName::parse("int4")),
        );
        drop(old);
        let unused = query.body;
        select.items.push(Item { expression: unused, alias: Some("nothing".into()) });
        query.body = writer.add(NodeKind::Select(select));
    };
    assert_eq!(told(distinct), "a page can't be of a DISTINCT ON");
    let many = |writer: &mut Writer, query: &mut Query| {
        for _ in 0..16 {
            let expression = writer.column("n");
            let direction = Direction::Ascending;
            query.order_by.push(Order { expression, direction, nulls: Nulls::Unspecified });
        }
    };
    assert_eq!(told(many), "a page is ordered by 1 to 16 keys, and this by 17");
}
