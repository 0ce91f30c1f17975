//! Foreign keys of typed tables: what their conditions become, and where they were written.

use std::mem::size_of_val;

use callslip::testing::sql;
use callslip_ir::NodeKind;
use callslip_sdk::{ForeignKey, prelude::*, testing::describe};
use callslip_test_tables::{
    Interview, audit,
    library::{Book, Copy, Loan, Reader, Repair, SNAPSHOT, Shelf, assert_sql},
};

#[test]
fn a_key_equals_its_target_from_either_side() {
    let (b, l) = (Book::alias("b"), Loan::alias("l"));
    assert_sql(
        select(l.id).from(l).join(b, l.book().eq(b)),
        "SELECT l.id AS id FROM public.loan AS l JOIN public.book AS b ON l.book_id = b.id",
    );
    assert_sql(
        select(b.id).from(b).left_join(l, l.book().eq(b)),
        "SELECT b.id AS id FROM public.book AS b LEFT JOIN public.loan AS l ON l.book_id = b.id",
    );
}

#[test]
fn a_key_is_a_condition_wherever_one_is_wanted() {
    let (b, l, r, s) = (Book::alias("b"), Loan::alias("l"), Reader::alias("r"), Shelf::alias("s").only());
    let (q, home) = select((b.id, count(l.id).filter(l.reader().eq(r)).alias("n")))
        .from(b)
        .join(l, l.book().eq(b).and(l.fine.is_null()))
        .cross_join(r)
        .cross_join(s)
        // Its target need not be named: the key knows it.
        .left_join_once("home", |home| b.book_shelf_id_fkey().eq(home));
    let (q, above) = q.join_once("above", |above: Shelf| home.parent().eq(above));
    let unrepaired = Copy::alias("c");
    let repair = Repair::alias("repair");
    let query = q
        .filter(Expression::not(b.shelf().eq(s)).or(above.name.is_null()))
        .filter(not_exists(
            select(1)
                .from(unrepaired)
                .left_join(repair, repair.copy().eq(unrepaired))
                .filter(unrepaired.book().eq(b)),
        ))
        .group_by(b.id);
    assert_sql(
        query,
        "
        SELECT b.id AS id, count(l.id) FILTER (WHERE l.reader_id = r.id) AS n
        FROM public.book AS b
        JOIN public.loan AS l ON (l.book_id = b.id) AND (l.fine IS NULL)
        CROSS JOIN public.reader AS r
        CROSS JOIN ONLY public.shelf AS s
        LEFT JOIN public.shelf AS home ON b.shelf_id = home.id
        JOIN public.shelf AS above ON home.parent_id = above.id
        WHERE ((NOT (b.shelf_id = s.id)) OR (above.name IS NULL))
              AND (NOT EXISTS (
                  SELECT CAST($1 AS int4)
                  FROM public.copy AS c
                  LEFT JOIN public.repair AS repair ON (repair.book_id = c.book_id) AND (repair.number = c.number)
                  WHERE c.book_id = b.id))
        GROUP BY b.id
        -- $1: '1'
        ",
    );
}

/// What a function of a plugin may take.
fn is_of(key: ForeignKey<Book>, book: Book) -> Expr<bool> {
    let copy = key;
    key.eq(book).or(copy.eq(book))
}

#[test]
fn a_key_is_a_small_value() {
    let (b, l) = (Book::alias("b"), Loan::alias("l"));
    assert_eq!(size_of_val(&l.book().eq(b)), 4);
    assert_eq!(size_of_val(&l.book()), size_of::<(u32, &[u8])>());
    assert_sql(
        select(l.id).from(l).join(b, is_of(l.book(), b)),
        "
        SELECT l.id AS id
        FROM public.loan AS l
        JOIN public.book AS b ON (l.book_id = b.id) OR (l.book_id = b.id)
        ",
    );
}

#[test]
fn a_key_refers_to_a_table_of_another_schema() {
    let key: ForeignKey<Interview> = audit::Event::alias("e").interview();
    let condition: Expr<bool> = key.eq(Interview::alias("i"));
    assert_eq!(size_of_val(&condition), 4);
}

#[test]
fn each_node_of_a_condition_was_written_where_the_author_wrote_it() {
    let (c, r) = (Copy::alias("c"), Repair::alias("r"));
    let condition = r.copy().eq(c);
    let line = line!() - 1;
    let shape = describe(select(1).from(c).join(r, condition)).shape;
    let mut kinds = Vec::new();
    for node in &shape.nodes {
        let place = node.place.expect("every node has a place");
        assert_eq!(shape.files[place.file as usize], file!());
        if place.line == line {
            kinds.push(match &node.kind {
                NodeKind::Column { relation, name } => format!("{relation}.{name}"),
                NodeKind::Operation(operation) => operation.operator.to_string(),
                NodeKind::Boolean(boolean) => format!("{:?}", boolean.operator),
                other => panic!("{other:?}"),
            });
        }
    }
    assert_eq!(kinds, ["r.book_id", "c.book_id", "=", "r.number", "c.number", "=", "And"]);
}

#[test]
fn a_key_between_relations_that_are_not_there_is_a_finding() {
    let (b, l) = (Book::alias("b"), Loan::alias("l"));
    let condition = l.book().eq(b);
    let place = format!("{}:{}:", file!(), line!() - 1);
    let statement = describe(select(l.id).from(l).filter(condition));
    let findings = sql(SNAPSHOT, &statement.shape, &statement.bindings).expect_err("a finding");
    assert!(findings.contains("CS0303") && findings.contains(&place), "{findings}");
}
