use callslip_ir::TypeName;

/// The types of the expressions that are generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ty {
    Bool,
    Int4,
    Int8,
    Numeric,
    Float8,
    Text,
    Date,
    Timestamptz,
    Interval,
    Jsonb,
    Mood,
    Span,
    Ints,
    Texts,
    Address,
}

use Ty::{
    Address, Bool, Date, Float8, Int4, Int8, Interval, Ints, Jsonb, Mood, Numeric, Span, Text, Texts,
    Timestamptz,
};

impl Ty {
    pub const ALL: &[Self] = &[
        Int4,
        Text,
        Bool,
        Int8,
        Numeric,
        Float8,
        Date,
        Timestamptz,
        Interval,
        Jsonb,
        Mood,
        Span,
        Ints,
        Texts,
        Address,
    ];
    /// Those that can be compared and sorted without a word on how.
    pub const COMPARABLE: &[Self] = &[
        Int4,
        Text,
        Int8,
        Numeric,
        Float8,
        Date,
        Timestamptz,
        Interval,
        Jsonb,
        Mood,
        Span,
        Ints,
        Texts,
        Bool,
    ];
    /// Those of which `max` and `min` exist and that GREATEST takes.
    pub const ORDERED: &[Self] = &[Int4, Text, Int8, Numeric, Float8, Date, Timestamptz, Interval, Mood];

    /// The ways to write it.
    pub fn spellings(self) -> &'static [&'static str] {
        match self {
            Bool => &["bool", "boolean", "pg_catalog.bool"],
            Int4 => &["int4", "integer", "pg_catalog.int4"],
            Int8 => &["int8", "bigint"],
            Numeric => &["numeric", "decimal"],
            Float8 => &["float8", "double precision"],
            Text => &["text", "pg_catalog.text"],
            Date => &["date"],
            Timestamptz => &["timestamptz", "timestamp with time zone"],
            Interval => &["interval"],
            Jsonb => &["jsonb"],
            Mood => &["mood", "app.mood"],
            Span => &["int4range"],
            Ints => &["int4[]", "integer[]"],
            Texts => &["text[]"],
            Address => &["address", "app.address"],
        }
    }

    /// How it is written with a modifier that keeps its values, if it has one.
    pub fn modified(self) -> Option<TypeName> {
        let (name, modifiers) = match self {
            Numeric => ("numeric", vec![12, 3]),
            Timestamptz => ("timestamptz", vec![3]),
            _ => return None,
        };
        Some(TypeName { modifiers, ..TypeName::parse(name) })
    }

    /// The array of it, where that is generated too.
    pub fn array(self) -> Option<Self> {
        match self {
            Int4 => Some(Ints),
            Text => Some(Texts),
            _ => None,
        }
    }

    pub fn element(self) -> Option<Self> {
        match self {
            Ints => Some(Int4),
            Texts => Some(Text),
            _ => None,
        }
    }
}

/// Operators: the name, the operands and the result. Comparisons are apart, since every type has them.
pub const OPERATORS: &[(&str, &[Ty], Ty)] = &[
    ("+", &[Int4, Int4], Int4),
    ("-", &[Int4, Int4], Int4),
    ("*", &[Int4, Int4], Int4),
    ("%", &[Int4, Int4], Int4),
    ("-", &[Int4], Int4),
    ("|", &[Int4, Int4], Int4),
    ("<+>", &[Int4, Int4], Int4),
    ("app.<+>", &[Int4, Int4], Int4),
    ("-", &[Date, Date], Int4),
    ("+", &[Int8, Int8], Int8),
    ("/", &[Int8, Int8], Int8),
    ("*", &[Int8, Int4], Int8),
    ("+", &[Numeric, Numeric], Numeric),
    ("-", &[Numeric, Numeric], Numeric),
    ("*", &[Numeric, Int4], Numeric),
    ("/", &[Int8, Numeric], Numeric),
    ("-", &[Numeric], Numeric),
    ("+", &[Float8, Float8], Float8),
    ("^", &[Float8, Float8], Float8),
    ("*", &[Float8, Int4], Float8),
    ("||", &[Text, Text], Text),
    ("->>", &[Jsonb, Text], Text),
    ("+", &[Date, Int4], Date),
    ("-", &[Date, Int4], Date),
    ("+", &[Timestamptz, Interval], Timestamptz),
    ("-", &[Timestamptz, Interval], Timestamptz),
    ("-", &[Timestamptz, Timestamptz], Interval),
    ("+", &[Interval, Interval], Interval),
    ("*", &[Interval, Float8], Interval),
    ("->", &[Jsonb, Text], Jsonb),
    ("->", &[Jsonb, Int4], Jsonb),
    ("||", &[Jsonb, Jsonb], Jsonb),
    ("-", &[Jsonb, Text], Jsonb),
    ("*", &[Span, Span], Span),
    ("||", &[Ints, Ints], Ints),
    ("||", &[Texts, Texts], Texts),
    ("~~", &[Text, Text], Bool),
    ("!~~*", &[Text, Text], Bool),
    ("~", &[Text, Text], Bool),
    ("@>", &[Jsonb, Jsonb], Bool),
    ("?", &[Jsonb, Text], Bool),
    ("&&", &[Span, Span], Bool),
    ("@>", &[Span, Int4], Bool),
    ("@>", &[Ints, Ints], Bool),
    ("&&", &[Texts, Texts], Bool),
    ("<", &[Int4, Numeric], Bool),
    ("=", &[Int4, Int8], Bool),
    (">=", &[Int8, Float8], Bool),
    ("<", &[Date, Timestamptz], Bool),
];

pub const COMPARISONS: &[&str] = &["=", "<>", "<", "<=", ">", ">=", "pg_catalog.="];

/// Functions over values.
pub const FUNCTIONS: &[(&str, &[Ty], Ty)] = &[
    ("abs", &[Int4], Int4),
    ("length", &[Text], Int4),
    ("array_length", &[Ints, Int4], Int4),
    ("cardinality", &[Texts], Int4),
    ("lower", &[Span], Int4),
    ("twice", &[Int4], Int4),
    ("app.twice", &[Int4], Int4),
    ("array_position", &[Ints, Int4], Int4),
    ("abs", &[Int8], Int8),
    ("app.total", &[Int4, Int4, Int4], Int8),
    ("round", &[Numeric, Int4], Numeric),
    ("pg_catalog.abs", &[Numeric], Numeric),
    ("sqrt", &[Float8], Float8),
    ("power", &[Float8, Float8], Float8),
    ("upper", &[Text], Text),
    ("lower", &[Text], Text),
    ("pg_catalog.replace", &[Text, Text, Text], Text),
    ("substr", &[Text, Int4, Int4], Text),
    ("to_char", &[Timestamptz, Text], Text),
    ("jsonb_typeof", &[Jsonb], Text),
    ("greet", &[Text], Text),
    ("array_to_string", &[Texts, Text], Text),
    ("concat", &[Text, Int4, Bool], Text),
    ("make_date", &[Int4, Int4, Int4], Date),
    ("date_trunc", &[Text, Timestamptz], Timestamptz),
    ("now", &[], Timestamptz),
    ("age", &[Timestamptz, Timestamptz], Interval),
    ("justify_hours", &[Interval], Interval),
    ("jsonb_build_object", &[Text, Int4], Jsonb),
    ("to_jsonb", &[Ints], Jsonb),
    ("int4range", &[Int4, Int4], Span),
    ("array_append", &[Ints, Int4], Ints),
    ("array_remove", &[Texts, Text], Texts),
    ("string_to_array", &[Text, Text], Texts),
    ("starts_with", &[Text, Text], Bool),
    ("isempty", &[Span], Bool),
    ("isfinite", &[Date], Bool),
];

/// Aggregates over rows that may stand with OVER too.
pub const AGGREGATES: &[(&str, &[Ty], Ty)] = &[
    ("count", &[Text], Int8),
    ("count", &[Jsonb], Int8),
    ("sum", &[Int4], Int8),
    ("sum", &[Numeric], Numeric),
    ("avg", &[Int4], Numeric),
    ("avg", &[Float8], Float8),
    ("sum", &[Interval], Interval),
    ("max", &[Int4], Int4),
    ("min", &[Text], Text),
    ("max", &[Date], Date),
    ("min", &[Timestamptz], Timestamptz),
    ("max", &[Mood], Mood),
    ("bool_or", &[Bool], Bool),
    ("pg_catalog.bool_and", &[Bool], Bool),
    ("string_agg", &[Text, Text], Text),
    ("array_agg", &[Int4], Ints),
    ("array_agg", &[Text], Texts),
    ("jsonb_agg", &[Numeric], Jsonb),
];

/// Window functions proper.
pub const WINDOW_FUNCTIONS: &[(&str, &[Ty], Ty)] = &[
    ("row_number", &[], Int8),
    ("rank", &[], Int8),
    ("percent_rank", &[], Float8),
    ("ntile", &[Int4], Int4),
    ("lag", &[Text], Text),
    ("lag", &[Int4, Int4], Int4),
    ("lead", &[Date, Int4, Date], Date),
    ("first_value", &[Numeric], Numeric),
    ("last_value", &[Bool], Bool),
    ("nth_value", &[Timestamptz, Int4], Timestamptz),
];

/// Casts that PostgreSQL knows, from and to.
pub const CASTS: &[(Ty, Ty)] = &[
    (Int8, Int4),
    (Numeric, Int4),
    (Text, Int4),
    (Bool, Int4),
    (Int4, Int8),
    (Jsonb, Int8),
    (Int4, Numeric),
    (Float8, Numeric),
    (Numeric, Float8),
    (Int4, Text),
    (Date, Text),
    (Jsonb, Text),
    (Mood, Text),
    (Ints, Text),
    (Timestamptz, Date),
    (Text, Date),
    (Date, Timestamptz),
    (Text, Timestamptz),
    (Text, Interval),
    (Text, Jsonb),
    (Text, Mood),
    (Text, Span),
    (Texts, Ints),
    (Ints, Texts),
    (Int4, Bool),
    (Jsonb, Bool),
];
