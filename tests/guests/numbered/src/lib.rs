//! Reads of one table, in a plugin of which there can be many: each with a number, and so with SQL, of its own.

use callslip_sdk::prelude::*;

/// Who wants another of these plugins writes another number over this one, into the bytes of the component.
const NUMBER: &str = "the plugin with the number 000000";

#[derive(Params)]
struct By {
    id: Arg<i32>,
}

/// One row, by its key.
#[query(example(id = 1))]
fn item(p: By) -> One {
    let i = table("item").alias("i");
    let number = constant(NUMBER).alias("plugin");
    select((i.col("id"), i.col("name"), i.col("price"), i.col("made"), number))
        .from(i)
        .filter(i.col("id").eq(p.id))
        .one()
}

#[derive(Params)]
struct After {
    after: Arg<i32>,
}

/// Twenty rows, in the order of their keys.
#[query(example(after = 0))]
fn items(p: After) -> Select {
    let i = table("item").alias("i");
    select((i.col("id"), i.col("name"), i.col("price"), i.col("made")))
        .from(i)
        .filter(i.col("id").gt(p.after))
        .order_by(i.col("id"))
        .limit(20)
}

#[derive(Params)]
struct Many {
    rows: Arg<u32>,
}

/// So many rows, in whatever order.
#[query(example(rows = 10))]
fn export(p: Many) -> Select {
    let i = table("item").alias("i");
    select((i.col("id"), i.col("name"), i.col("price"), i.col("made"))).from(i).limit(p.rows)
}

export_plugin!(item, items, export);
