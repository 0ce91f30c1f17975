use callslip_sdk::{prelude::*, rare, testing::describe};

use crate::support::{library, refused, same};

/// The shelves from the top down, with their depth.
fn tree(recursive: impl FnOnce(Select, Select) -> Select) -> Cte {
    let (s, c) = (table("shelf").alias("s"), table("shelf").alias("c"));
    cte_recursive("tree", |tree| {
        let top = select((s.col("id"), s.col("name"), constant(0).alias("depth")))
            .from(s)
            .filter(s.col("parent_id").is_null());
        let below = select((c.col("id"), c.col("name"), tree.col("depth") + 1))
            .from(c)
            .join(tree, c.col("parent_id").eq(tree.col("id")));
        recursive(top, below)
    })
}

const TREE: &str = "WITH RECURSIVE tree AS (
    SELECT id, name, 0 AS depth FROM shelf WHERE parent_id IS NULL
    UNION ALL SELECT c.id, c.name, tree.depth + 1 FROM shelf c JOIN tree ON c.parent_id = tree.id)";

fn with_tree(rest: &str) -> String {
    format!("{TREE} {rest}")
}

#[tokio::test]
async fn cte_recursive_untyped_and_typed() {
    for union in [Select::union_all, Select::union] {
        let tree = tree(union);
        same(
            select((tree.col("id"), tree.col("name"), tree.col("depth"))).from(tree).order_by(tree.col("id")),
            &with_tree("SELECT id, name, depth FROM tree ORDER BY id"),
        )
        .await;
    }
    let (s, c) = (table("shelf").alias("s"), table("shelf").alias("c"));
    let typed = cte_recursive!("tree", { id: s.col("id"), depth: 0 }, |q, tree| {
        q.from(s).filter(s.col("parent_id").is_null()).union_all(
            select((c.col("id"), tree.depth + 1)).from(c).join(tree, c.col("parent_id").eq(tree.id)),
        )
    });
    let again = typed.alias("again");
    same(
        select((typed.depth, count(again.id).alias("n")))
            .from(typed)
            .join(again, again.depth.eq(typed.depth))
            .group_by(typed.depth)
            .order_by(typed.depth),
        &with_tree(
            "SELECT tree.depth, count(again.id) AS n FROM tree JOIN tree again ON again.depth = tree.depth
             GROUP BY 1 ORDER BY 1",
        ),
    )
    .await;
}

#[tokio::test]
async fn ctes_beside_and_within_a_recursive_one() {
    // One before it and one after it that uses it, new column names, and one whose query uses the recursive CTE itself.
    let (s, b) = (table("shelf").alias("s"), table("book").alias("b"));
    let top = cte("top", select((s.col("id"), s.col("name"))).from(s).filter(s.col("parent_id").is_null()));
    let walk = cte_recursive("walk", |walk| {
        let c = table("shelf").alias("c");
        let last = cte("last", select((walk.col("shelf"), walk.col("depth"))).from(walk));
        select((top.col("id"), constant(0))).from(top).union_all(
            select((c.col("id"), last.col("depth") + 1))
                .from(c)
                .join(last, c.col("parent_id").eq(last.col("shelf"))),
        )
    })
    .columns(["shelf", "depth"])
    .materialized();
    let counted = cte(
        "counted",
        select((walk.col("depth"), count(b.col("id")).alias("books")))
            .from(walk)
            .left_join(b, b.col("shelf_id").eq(walk.col("shelf")))
            .group_by(walk.col("depth")),
    )
    .not_materialized();
    same(
        select((counted.col("depth"), counted.col("books"))).from(counted).order_by(counted.col("depth")),
        &with_tree(
            "SELECT depth, count(b.id) AS books FROM tree LEFT JOIN book b ON b.shelf_id = tree.id GROUP BY 1 ORDER BY 1",
        ),
    )
    .await;
}

#[tokio::test]
async fn search_and_cycle_of_a_cte_that_is_not_the_last() {
    let tree = tree(Select::union_all);
    let order = rare::search_depth_first(tree, (tree.col("name"), tree.col("id")), "ordering");
    let (is_cycle, path) = rare::cycle(tree, (tree.col("id"), tree.col("depth")), "is_cycle", "path");
    let last = cte("last", select(max(tree.col("depth")).alias("depth")).from(tree));
    same(
        select((tree.col("name"), order, is_cycle, path, last.col("depth").alias("deepest")))
            .from(tree)
            .cross_join(last)
            .order_by(order),
        &format!(
            "{TREE} SEARCH DEPTH FIRST BY name, id SET ordering CYCLE id, depth SET is_cycle USING path,
             last AS (SELECT max(depth) AS depth FROM tree)
             SELECT name, ordering, is_cycle, path, last.depth AS deepest FROM tree, last ORDER BY ordering"
        ),
    )
    .await;
    let tree = self::tree(Select::union);
    let order = rare::search_breadth_first(tree, tree.col("id"), "ordering");
    same(
        select((tree.col("name"), order)).from(tree).order_by(order.desc()),
        &with_tree(
            "SEARCH BREADTH FIRST BY id SET ordering SELECT name, ordering FROM tree ORDER BY ordering DESC",
        ),
    )
    .await;
}

#[tokio::test]
async fn the_columns_of_search_and_cycle_have_the_types_of_postgresql() {
    let types = |add: &dyn Fn(Cte) -> Vec<Expr>| {
        let tree = tree(Select::union_all);
        let columns = add(tree).into_iter().enumerate().map(|(n, column)| column.alias(&format!("c{n}")));
        let statement = describe(select(columns.collect::<Vec<_>>()).from(tree));
        library().types(&statement).unwrap()
    };
    let id = |tree: Cte| tree.col("id");
    let found = [
        types(&|tree| vec![rare::search_depth_first(tree, id(tree), "s")]),
        types(&|tree| vec![rare::search_breadth_first(tree, id(tree), "s")]),
        types(&|tree| {
            let (mark, path) = rare::cycle(tree, id(tree), "mark", "path");
            vec![mark.op("=", true), path]
        }),
        types(&|tree| vec![rare::cycle_to(tree, id(tree), "mark", null("int8"), 0, "path").0]),
    ];
    let client = library().client().await;
    let mut expected = Vec::new();
    for (clause, columns) in [
        ("SEARCH DEPTH FIRST BY id SET s", "s"),
        ("SEARCH BREADTH FIRST BY id SET s", "s"),
        ("CYCLE id SET mark USING path", "mark, path"),
        ("CYCLE id SET mark TO int8 '1' DEFAULT 0 USING path", "mark"),
    ] {
        let statement =
            client.prepare(&with_tree(&format!("{clause} SELECT {columns} FROM tree"))).await.unwrap();
        expected
            .push(statement.columns().iter().map(|column| Some(column.type_().oid())).collect::<Vec<_>>());
    }
    assert_eq!(found.to_vec(), expected);
}

/// From each shelf to its parent and from the top one to the last, which never ends.
fn ring(id: &str) -> Cte {
    cte_recursive("ring", |ring| {
        let (s, up) = (table("shelf").alias("s"), table("shelf").alias("up"));
        select((s.col("id"), constant(0).alias("n"))).from(s).filter(s.col("id").eq(5)).union_all(
            select((coalesce((up.col("parent_id"), 5)), ring.col("n") + 1))
                .from(ring)
                .join(up, up.col("id").eq(ring.col(id))),
        )
    })
}

const RING: &str = "WITH RECURSIVE ring AS (SELECT id, 0 AS n FROM shelf WHERE id = 5
    UNION ALL SELECT coalesce(up.parent_id, 5), ring.n + 1 FROM ring JOIN shelf up ON up.id = ring.id)";

#[tokio::test]
async fn cycle_with_to_and_default() {
    let ring = ring("id");
    let order = rare::search_depth_first(ring, ring.col("id"), "ordering");
    let (mark, path) = rare::cycle_to(ring, ring.col("id"), "again", "yes", "no", "path");
    same(
        select((ring.col("id"), ring.col("n"), order, mark, path)).from(ring).order_by(ring.col("n")),
        &format!(
            "{RING} SEARCH DEPTH FIRST BY id SET ordering CYCLE id SET again TO 'yes' DEFAULT 'no' USING path
             SELECT id, n, ordering, again, path FROM ring ORDER BY n"
        ),
    )
    .await;
    let ring = self::ring("shelf").columns(["shelf"]).materialized();
    let (mark, _) = rare::cycle_to(ring, ring.col("shelf"), "again", 1, 0, "path");
    same(
        select((ring.col("shelf"), mark)).from(ring).filter(mark.eq(1)),
        &format!("{RING} CYCLE id SET again TO 1 DEFAULT 0 USING path SELECT id AS shelf, again FROM ring WHERE again = 1"),
    )
    .await;
}

#[tokio::test]
async fn the_recursive_term_sees_what_search_and_cycle_add() {
    let next = |mark: fn(Expr) -> Expr<bool>| {
        cte_recursive("n", |n| {
            let next = select((n.col("n") % 3) + 1).from(n).filter(mark(n.col("mark")));
            select(constant(1).alias("n")).union_all(next)
        })
    };
    let n = next(|mark| mark.is_not_true());
    let (mark, path) = rare::cycle(n, n.col("n"), "mark", "path");
    same(
        select((n.col("n"), mark, path)).from(n),
        "WITH RECURSIVE n AS (SELECT 1 AS n UNION ALL SELECT n % 3 + 1 FROM n WHERE mark IS NOT TRUE)
         CYCLE n SET mark USING path SELECT n, mark, path FROM n",
    )
    .await;
    let n = next(|mark| mark.ne("again"));
    let (mark, _) = rare::cycle_to(n, n.col("n"), "mark", "again", "first", "path");
    assert_eq!(
        refused(select((n.col("n"), mark)).from(n)),
        "CS0302: n has no column \"mark\"; its columns are n, path"
    );
}

#[test]
fn what_a_recursive_cte_refuses() {
    let s = table("shelf").alias("s");
    let of = |query: &dyn Fn(Select, Cte) -> Select| {
        let r = cte_recursive("r", |r| query(select(s.col("id")).from(s), r));
        refused(select(r.col("id")).from(r))
    };
    let recursive = |r: Cte| select(r.col("id") + 1).from(r);
    for (found, says) in [
        (of(&|_, r| recursive(r)), "is not of the form: non-recursive term UNION [ALL] recursive term"),
        (
            of(&|top, r| top.intersect(recursive(r))),
            "is not of the form: non-recursive term UNION [ALL] recursive term",
        ),
        (of(&|top, r| recursive(r).union_all(top)), "can't refer to itself in its non-recursive term"),
        (
            of(&|top, r| top.union_all(recursive(r).union_all(recursive(r)))),
            "can't refer to itself more than once",
        ),
        (
            of(&|top, r| {
                top.union_all(select(s.col("id")).from(s).left_join(r, r.col("id").eq(s.col("id"))))
            }),
            "can't refer to itself on the side of an outer join that may be null",
        ),
        (
            of(&|top, r| {
                top.union_all(select(s.col("id")).from(s).filter(s.col("id").in_query(recursive(r))))
            }),
            "can't refer to itself in a subquery",
        ),
        (
            of(&|top, r| top.clone().union_all(top.except(recursive(r)))),
            "can't refer to itself on the right of EXCEPT",
        ),
        (
            of(&|top, r| top.clone().union_all(top.intersect_all(recursive(r)))),
            "can't refer to itself in INTERSECT ALL",
        ),
    ] {
        assert_eq!(found, format!("CS0203: the recursive CTE \"r\" {says}"));
    }
    assert_eq!(
        of(&|top, r| top.union_all(recursive(r)).limit(5)),
        "CS0203: the UNION of the recursive CTE \"r\" has an ORDER BY, LIMIT or OFFSET; put it in the query that uses \
         the CTE"
    );
    assert_eq!(
        of(&|top, r| top.union_all(select(r.col("id").cast::<i64>()).from(r))),
        "CS0315: column \"id\" of a recursive CTE is int4 in its non-recursive term, but int8 with the recursive one; \
         cast it there with .cast_as(\"int8\")"
    );
}

#[tokio::test]
async fn search_of_a_cte_whose_first_side_is_a_set_operation() {
    let top = || select(constant(1).alias("n")).union_all(select(5));
    let of = |first: Select| {
        let n =
            cte_recursive("n", |n| first.union_all(select(n.col("n") + 1).from(n).filter(n.col("n").lt(7))));
        let ordering = rare::search_depth_first(n, n.col("n"), "ordering");
        select((n.col("n"), ordering)).from(n).order_by((ordering, n.col("n"))).limit(4)
    };
    same(
        of(top().limit(2)),
        "WITH RECURSIVE n AS ((SELECT 1 AS n UNION ALL SELECT 5 LIMIT 2) UNION ALL SELECT n + 1 FROM n WHERE n < 7)
         SEARCH DEPTH FIRST BY n SET ordering SELECT n, ordering FROM n ORDER BY ordering, n LIMIT 4",
    )
    .await;
    assert_eq!(
        refused(of(top())),
        "CS0203: with SEARCH or CYCLE each side of the UNION is a SELECT; put the set operation in a subquery with \
         .alias(\"…\")"
    );
}

#[test]
fn what_search_and_cycle_refuse() {
    let all = || tree(Select::union_all);
    let t = all();
    let _ = rare::search_depth_first(t, (t.col("nam"), t.col("id"), t.col("id")), "depth");
    assert_eq!(
        refused(select(t.col("id")).from(t)),
        "CS0302: the CTE \"tree\" has no column \"nam\" for SEARCH; did you mean \"name\"?\n\
         CS0311: SEARCH names the column \"id\" twice\n\
         CS0311: the CTE \"tree\" has a column \"depth\" already"
    );
    let t = all();
    let (_, path) = rare::cycle(t, t.col("id"), "path", "path");
    assert_eq!(
        refused(select(path).from(t)).lines().next().unwrap(),
        "CS0311: the CTE \"tree\" has a column \"path\" already"
    );
    let t = all();
    let _ = rare::cycle_to(t, t.col("id"), "mark", t.col("name"), "no", "path");
    assert_eq!(refused(select(t.col("id")).from(t)), "CS0203: a value of CYCLE is a constant or a parameter");
    let b = table("book").alias("b");
    let plain = cte("plain", select(b.col("id")).from(b));
    let _ = rare::search_depth_first(plain, plain.col("id"), "ordering");
    assert_eq!(
        refused(select(plain.col("id")).from(plain)),
        "CS0203: SEARCH and CYCLE are for a recursive CTE, which \"plain\" is not"
    );
}
