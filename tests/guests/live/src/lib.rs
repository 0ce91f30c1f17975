//! Plugins that are loaded while their database changes.

use callslip_sdk::prelude::*;

#[cfg(feature = "fragile")]
mod fragile {
    use super::*;

    /// Reads the column that is to be renamed, and in the next version one that is still to come.
    #[query]
    pub fn names() -> Select {
        let f = table("fragile").alias("f");
        let (id, name) = (f.col("id"), f.col("name"));
        let q = if cfg!(feature = "next") {
            select((id, name, f.col("nickname")))
        } else if cfg!(feature = "other-columns") {
            select(name)
        } else {
            select((id, name))
        };
        let q = q.from(f);
        if cfg!(feature = "other-sql") { q.order_by((id, name)) } else { q.order_by(id) }
    }

    /// Reads nothing that changes.
    #[cfg(not(feature = "without-ids"))]
    #[query]
    pub fn ids() -> Select {
        let f = table("fragile").alias("f");
        select(f.col("id")).from(f).order_by(f.col("id"))
    }
}

#[cfg(all(feature = "fragile", not(feature = "without-ids")))]
export_plugin!(fragile::names, fragile::ids);
#[cfg(feature = "without-ids")]
export_plugin!(fragile::names);

#[cfg(not(feature = "fragile"))]
mod amounts {
    use super::*;

    fn all() -> Select {
        let a = table("amount").alias("a");
        select((a.col("id"), a.col("amount"))).from(a).order_by(a.col("id"))
    }

    /// Reads a column whose type changes.
    #[query]
    pub fn amounts() -> Select {
        all()
    }

    #[cfg(not(feature = "reordered"))]
    #[derive(Reply)]
    pub struct Two {
        ids: Select,
        amounts: Select,
    }

    #[cfg(feature = "reordered")]
    #[derive(Reply)]
    pub struct Two {
        amounts: Select,
        ids: Select,
    }

    /// The same as the second of two statements, and in the next version as the first.
    #[query]
    pub fn two() -> Two {
        let a = table("amount").alias("a");
        Two { ids: select(a.col("id")).from(a).order_by(a.col("id")), amounts: all() }
    }

    sql_type! {
        pub struct Unit = "live.unit";
    }

    #[derive(Params)]
    pub struct OfUnit {
        unit: Arg<Unit>,
    }

    /// The second of two statements has a parameter of a type that is made anew.
    #[query(example(unit = "cent"))]
    pub fn of_unit(p: OfUnit) -> Two {
        let a = table("amount").alias("a");
        let ids = select(a.col("id")).from(a).order_by(a.col("id"));
        Two { ids, amounts: all().filter(a.col("unit").eq(p.unit)) }
    }

    #[derive(Params)]
    pub struct Named {
        table: String,
    }

    /// An open query: reads whatever table the caller names.
    #[query]
    pub fn ids_of(p: Named) -> Select {
        let t = table(&p.table).alias("t");
        select(t.col("id")).from(t).order_by(t.col("id"))
    }
}

#[cfg(not(feature = "fragile"))]
export_plugin!(amounts::amounts, amounts::two, amounts::of_unit, amounts::ids_of);
