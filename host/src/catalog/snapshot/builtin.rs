use crate::catalog::Oid;

/// PostgreSQL's own types that code here knows by their ids, or may: each with its id and that of its array type, 0 for
/// none, as `pg_type.dat` gives them to every database; in order.
const BUILTIN_TYPES: &[(&str, Oid, Oid)] = &[
    ("aclitem", 1033, 1034),
    ("any", 2276, 0),
    ("anyarray", 2277, 0),
    ("anycompatible", 5077, 0),
    ("anycompatiblearray", 5078, 0),
    ("anycompatiblemultirange", 4538, 0),
    ("anycompatiblenonarray", 5079, 0),
    ("anycompatiblerange", 5080, 0),
    ("anyelement", 2283, 0),
    ("anyenum", 3500, 0),
    ("anymultirange", 4537, 0),
    ("anynonarray", 2776, 0),
    ("anyrange", 3831, 0),
    ("bit", 1560, 1561),
    ("bool", 16, 1000),
    ("box", 603, 1020),
    ("bpchar", 1042, 1014),
    ("bytea", 17, 1001),
    ("char", 18, 1002),
    ("cid", 29, 1012),
    ("cidr", 650, 651),
    ("circle", 718, 719),
    ("cstring", 2275, 1263),
    ("date", 1082, 1182),
    ("datemultirange", 4535, 6155),
    ("daterange", 3912, 3913),
    ("event_trigger", 3838, 0),
    ("fdw_handler", 3115, 0),
    ("float4", 700, 1021),
    ("float8", 701, 1022),
    ("gtsvector", 3642, 3644),
    ("index_am_handler", 325, 0),
    ("inet", 869, 1041),
    ("int2", 21, 1005),
    ("int2vector", 22, 1006),
    ("int4", 23, 1007),
    ("int4multirange", 4451, 6150),
    ("int4range", 3904, 3905),
    ("int8", 20, 1016),
    ("int8multirange", 4536, 6157),
    ("int8range", 3926, 3927),
    ("internal", 2281, 0),
    ("interval", 1186, 1187),
    ("json", 114, 199),
    ("jsonb", 3802, 3807),
    ("jsonpath", 4072, 4073),
    ("language_handler", 2280, 0),
    ("line", 628, 629),
    ("lseg", 601, 1018),
    ("macaddr", 829, 1040),
    ("macaddr8", 774, 775),
    ("money", 790, 791),
    ("name", 19, 1003),
    ("numeric", 1700, 1231),
    ("nummultirange", 4532, 6151),
    ("numrange", 3906, 3907),
    ("oid", 26, 1028),
    ("oidvector", 30, 1013),
    ("path", 602, 1019),
    ("pg_brin_bloom_summary", 4600, 0),
    ("pg_brin_minmax_multi_summary", 4601, 0),
    ("pg_ddl_command", 32, 0),
    ("pg_dependencies", 3402, 0),
    ("pg_lsn", 3220, 3221),
    ("pg_mcv_list", 5017, 0),
    ("pg_ndistinct", 3361, 0),
    ("pg_node_tree", 194, 0),
    ("pg_snapshot", 5038, 5039),
    ("point", 600, 1017),
    ("polygon", 604, 1027),
    ("record", 2249, 2287),
    ("refcursor", 1790, 2201),
    ("regclass", 2205, 2210),
    ("regcollation", 4191, 4192),
    ("regconfig", 3734, 3735),
    ("regdictionary", 3769, 3770),
    ("regnamespace", 4089, 4090),
    ("regoper", 2203, 2208),
    ("regoperator", 2204, 2209),
    ("regproc", 24, 1008),
    ("regprocedure", 2202, 2207),
    ("regrole", 4096, 4097),
    ("regtype", 2206, 2211),
    ("table_am_handler", 269, 0),
    ("text", 25, 1009),
    ("tid", 27, 1010),
    ("time", 1083, 1183),
    ("timestamp", 1114, 1115),
    ("timestamptz", 1184, 1185),
    ("timetz", 1266, 1270),
    ("trigger", 2279, 0),
    ("tsm_handler", 3310, 0),
    ("tsmultirange", 4533, 6152),
    ("tsquery", 3615, 3645),
    ("tsrange", 3908, 3909),
    ("tstzmultirange", 4534, 6153),
    ("tstzrange", 3910, 3911),
    ("tsvector", 3614, 3643),
    ("txid_snapshot", 2970, 2949),
    ("unknown", 705, 0),
    ("uuid", 2950, 2951),
    ("varbit", 1562, 1563),
    ("varchar", 1043, 1015),
    ("void", 2278, 0),
    ("xid", 28, 1011),
    ("xid8", 5069, 271),
    ("xml", 142, 143),
];

/// The id that a type of `pg_catalog` has in every database.
pub(super) fn type_oid(name: &str) -> Option<Oid> {
    builtin_type(name).map(|(oid, _)| oid)
}

/// The id that the array type of a type of `pg_catalog` has in every database.
pub(super) fn array_oid(element: &str) -> Option<Oid> {
    builtin_type(element).and_then(|(_, array)| array)
}

/// The ids that a type of `pg_catalog` and its array type have in every database, if it has one.
pub(crate) fn builtin_type(name: &str) -> Option<(Oid, Option<Oid>)> {
    let found = BUILTIN_TYPES.binary_search_by_key(&name, |(name, ..)| name).ok()?;
    let (_, oid, array) = BUILTIN_TYPES[found];
    Some((oid, Some(array).filter(|array| *array != 0)))
}

#[cfg(test)]
mod tests {
    use super::{BUILTIN_TYPES, array_oid, type_oid};

    #[test]
    fn the_list_is_sorted_for_binary_search() {
        assert!(BUILTIN_TYPES.is_sorted());
        assert_eq!((type_oid("text"), array_oid("text")), (Some(25), Some(1009)));
        assert_eq!((type_oid("any"), array_oid("any")), (Some(2276), None));
        assert_eq!(type_oid("mood"), None);
    }
}
