//! Parameters of types that have no like in Rust: each comes back as it is bound.

use callslip_sdk::prelude::*;

callslip_sdk::sql_type! {
    /// A composite type.
    struct Address = "types.address";
    /// A composite type with one within it.
    struct Person = "types.person";
    /// A domain over a text.
    struct Isbn(String) = "types.isbn";
    /// A domain over a number, which has a check of its own.
    struct Even(i32) = "types.even";
    /// An enum, by its name alone.
    struct Mood = "types.mood";
    /// A range of the database's own.
    struct FloatRange = "types.floatrange";
}

#[derive(Params)]
struct Given {
    range: Nullably<Range<Date>>,
    ranges: Arg<Vec<Range<i64>>>,
    multirange: Arg<Multirange<i32>>,
    float_range: Arg<FloatRange>,
    address: Nullably<Address>,
    addresses: Arg<Vec<Address>>,
    person: Arg<Person>,
    isbn: Arg<Isbn>,
    even: Arg<Even>,
    mood: Arg<Mood>,
    moods: Arg<Vec<Mood>>,
    inet: Arg<Inet>,
    cidr: Option<Arg<Cidr>>,
    interval: Arg<Interval>,
    query: Arg<TsQuery>,
    #[param(default = "[2026-01-01,2026-02-01)")]
    default: Arg<Range<Date>>,
}

type Nullably<T> = Arg<Nullable<T>>;

/// Every parameter as PostgreSQL has read it.
#[query]
fn given(p: Given) -> Select {
    select((
        p.range.alias("range"),
        p.ranges.alias("ranges"),
        p.multirange.alias("multirange"),
        p.float_range.alias("float_range"),
        p.address.alias("address"),
        p.addresses.alias("addresses"),
        p.person.alias("person"),
        p.isbn.alias("isbn"),
        p.even.alias("even"),
        p.mood.alias("mood"),
        p.moods.alias("moods"),
        p.inet.alias("inet"),
        p.cidr.map_or_else(|| null("cidr"), |cidr| cidr.cast_as("cidr")).alias("cidr"),
        p.interval.alias("interval"),
        p.query.alias("query"),
        p.default.alias("default"),
    ))
}

#[derive(Params)]
struct Period {
    period: Arg<Range<Date>>,
    day: Arg<Date>,
}

#[derive(Claims)]
struct Network {
    network: Arg<Cidr>,
}

/// What ranges can do among expressions, and a claim of a type by name.
#[query(example(period = "[2026-01-01,2026-02-01)", day = "2026-01-31"))]
fn within(p: Period, claims: Network) -> Select {
    select((
        p.period.contains(p.day).alias("contains"),
        lower(p.period).add(1).alias("second_day"),
        p.period.eq(Range::<Date>::new("[2026-01-01,2026-01-31]")).alias("january"),
        constant(Inet::new("10.1.2.3")).op("<<", claims.network).alias("inside"),
    ))
}

#[derive(Params)]
struct Twice {
    first: Arg<Range<i32>>,
    second: Arg<TsQuery>,
}

/// Two statements, each of which binds another parameter.
#[derive(Reply)]
struct Both {
    first: Select,
    second: Select,
}

#[query]
fn both(p: Twice) -> Both {
    Both { first: select(p.first.alias("first")), second: select(p.second.alias("second")) }
}

#[cfg(not(feature = "mistaken"))]
export_plugin!(given, within, both);

/// What the author wrote of parameters that is none of their types.
#[cfg(feature = "mistaken")]
mod mistaken {
    use callslip_sdk::prelude::*;

    #[derive(Params)]
    pub(crate) struct Wrong {
        #[param(default = "[2026-02-01,2026-01-01]")]
        period: Arg<Range<Date>>,
        words: Arg<TsQuery>,
        even: Arg<super::Even>,
    }

    #[query(example(words = "a b", even = "4"))]
    pub(crate) fn wrong(p: Wrong) -> Select {
        select((p.period.alias("period"), p.words.alias("words"), p.even.alias("even")))
    }
}

#[cfg(feature = "mistaken")]
export_plugin!(given, within, both, mistaken::wrong);
