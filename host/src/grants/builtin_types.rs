/// The types of `pg_catalog` that every plugin may name in casts, parameters and nulls, and their arrays; in order.
///
/// They are values and nothing else. Not on it: the types whose input looks objects or roles up by name, which would tell
/// a caller what there is (`regclass`, `regproc`, `regrole`, `aclitem`; of `regconfig` and `regdictionary` the names of
/// text search configurations are all that there is to learn), those of PostgreSQL's inside (`xid`, `tid`,
/// `pg_node_tree`), `refcursor`, and `xml`, whose input is a parser of its own.
pub const BUILTIN_TYPES: &[&str] = &[
    "bit",
    "bool",
    "box",
    "bpchar",
    "bytea",
    "char",
    "cidr",
    "circle",
    "date",
    "datemultirange",
    "daterange",
    "float4",
    "float8",
    "inet",
    "int2",
    "int4",
    "int4multirange",
    "int4range",
    "int8",
    "int8multirange",
    "int8range",
    "interval",
    "json",
    "jsonb",
    "jsonpath",
    "line",
    "lseg",
    "macaddr",
    "macaddr8",
    "money",
    "name",
    "numeric",
    "nummultirange",
    "numrange",
    "oid",
    "path",
    "point",
    "polygon",
    "regconfig",
    "regdictionary",
    "text",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "tsmultirange",
    "tsquery",
    "tsrange",
    "tstzmultirange",
    "tstzrange",
    "tsvector",
    "uuid",
    "varbit",
    "varchar",
];

#[cfg(test)]
mod tests {
    use super::BUILTIN_TYPES;

    #[test]
    fn the_list_is_sorted_for_binary_search() {
        assert!(BUILTIN_TYPES.is_sorted());
    }
}
