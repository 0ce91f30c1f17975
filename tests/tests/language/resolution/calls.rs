use callslip::catalog::{Catalog, FunctionKind, PG_CATALOG, TypeKind};
use callslip_ir::SpecialForm;

use super::expression::{Expression, Function, call, column, constant};
use super::oracle::{TYPES, oracle};
use super::{agree, column_type};

/// Columns that an argument of a declared type may get: of that type, or, where it is polymorphic, of some types that it may
/// stand for. None, where there is no such column.
fn fitting(catalog: &Catalog, declared: u32) -> Vec<&'static str> {
    let stands_for = |name: &str| -> &[&str] {
        match name {
            "any" | "anyelement" | "anynonarray" | "anycompatible" | "anycompatiblenonarray" => {
                &["int4", "text"]
            }
            "anyarray" | "anycompatiblearray" => &["int4[]", "text[]"],
            "anyenum" => &["mood"],
            "anyrange" | "anycompatiblerange" => &["int4range"],
            "anymultirange" | "anycompatiblemultirange" => &["int4multirange"],
            "record" => &["pair"],
            _ => &[],
        }
    };
    let Some(ty) = catalog.type_by_oid(declared) else { return Vec::new() };
    if ty.kind == TypeKind::Pseudo {
        let names = stands_for(&ty.name);
        return TYPES.iter().copied().filter(|ty| names.contains(ty)).collect();
    }
    let name = column_type(catalog, declared);
    TYPES.iter().copied().filter(|ty| Some(*ty) == name.as_deref()).collect()
}

/// What a near miss of a type is: another one of its kind.
fn near(ty: &str) -> &'static [&'static str] {
    match ty {
        "int2" | "int4" | "int8" | "numeric" | "float4" | "float8" | "oid" => {
            &["int2", "int4", "int8", "numeric", "float4", "float8", "d_int", "text"]
        }
        "text" | "varchar" | "bpchar" | "name" | "char" => {
            &["text", "varchar", "bpchar", "name", "char", "d_text", "d_varchar", "int4", "mood"]
        }
        "date" | "timestamp" | "timestamptz" | "time" | "timetz" | "interval" => {
            &["date", "timestamp", "timestamptz", "time", "timetz", "interval", "text"]
        }
        "int4[]" | "text[]" => {
            &["int2[]", "int4[]", "numeric[]", "text[]", "varchar[]", "d_ints", "d_int[]", "mood[]"]
        }
        "int4range" | "int4multirange" => &["int4range", "int8range", "int4multirange", "d_range"],
        "mood" => &["mood", "d_mood", "text"],
        _ => &["text", "int4"],
    }
}

#[tokio::test]
async fn every_function_with_every_argument_that_nearly_fits() {
    let catalog = oracle().catalog();
    let mut expressions = Vec::new();
    let functions = catalog.contents().functions.iter();
    for function in functions.filter(|its| its.schema == PG_CATALOG || its.schema == "public") {
        if function.name == "ids" {
            continue;
        }
        let mut count = function.arguments.len();
        let mut declared = function.arguments.clone();
        if let Some(element) = function.variadic {
            declared[count - 1] = element;
            declared.push(element);
            count += 1;
        }
        let fits: Vec<Vec<&str>> = declared.iter().map(|oid| fitting(catalog, *oid)).collect();
        if fits.iter().any(Vec::is_empty) || count > 5 {
            continue;
        }
        let over = function.kind == FunctionKind::Window;
        let mut add = |arguments: Vec<Expression>| {
            expressions.push(Expression::Function(Function { over, ..call(&function.name, arguments) }));
        };
        let first: Vec<Expression> = fits.iter().map(|fits| column(fits[0])).collect();
        let less = usize::from(function.defaults) + 2;
        for length in count.saturating_sub(less)..=count {
            add(first[..length].to_vec());
        }
        let more: Vec<Expression> = first.iter().cloned().chain([column("int4")]).collect();
        add(more);
        add(vec![Expression::Unknown; count]);
        for (index, fits) in fits.iter().enumerate() {
            let others = fits[1..].iter().chain(near(fits[0]));
            for other in others.map(|ty| column(ty)).chain([Expression::Unknown]) {
                let mut arguments = first.clone();
                arguments[index] = other;
                add(arguments);
            }
        }
    }
    agree(&expressions, 15_000, 5_000).await;
}

#[tokio::test]
async fn a_type_s_name_called_like_a_function() {
    let mut expressions = Vec::new();
    for ty in TYPES.iter().filter(|ty| !ty.ends_with("[]")).chain(&["_int4", "_text", "t"]) {
        for argument in TYPES.iter().map(|ty| column(ty)).chain([Expression::Unknown]) {
            expressions.push(Expression::Function(call(ty, vec![argument])));
        }
    }
    agree(&expressions, 2_500, 500).await;
}

/// Calls of the functions that the test made, with all their oddities.
#[tokio::test]
async fn variadic_named_defaulted_and_polymorphic_arguments() {
    let types = [
        "int2", "int4", "int8", "numeric", "text", "varchar", "mood", "d_int", "d_text", "int4[]", "d_int[]",
    ];
    let types2 = [
        "int2[]",
        "numeric[]",
        "text[]",
        "mood[]",
        "d_ints",
        "int4range",
        "int8range",
        "d_range",
        "int4multirange",
        "d_mood",
        "pair",
    ];
    let operands: Vec<Expression> =
        types.iter().chain(&types2).map(|ty| column(ty)).chain([Expression::Unknown]).collect();
    let names = [
        "many",
        "many_any",
        "many_alike",
        "many_compatible",
        "one_or_many",
        "less",
        "either_default",
        "named",
        "named_many",
        "takes_domain",
        "takes_row",
        "alike",
        "compatible",
        "with_array",
        "compatible_array",
        "nonarray",
        "in_range",
        "of_multirange",
        "compatible_range",
        "enums",
        "lower",
        "abs",
        "length",
        "concat",
        "format",
        "array_append",
        "array_cat",
        "array_agg",
        "json_build_object",
        "num_nulls",
        "coalesce",
        "array_position",
        "array_to_string",
        "unnest",
        "range_merge",
        "width_bucket",
        "array_remove",
        "array_replace",
    ];
    let mut expressions = Vec::new();
    for name in names {
        for left in &operands {
            expressions.push(Expression::Function(call(name, vec![left.clone()])));
            expressions
                .push(Expression::Function(Function { variadic: true, ..call(name, vec![left.clone()]) }));
            for right in &operands {
                let both = vec![left.clone(), right.clone()];
                expressions.push(Expression::Function(call(name, both.clone())));
                expressions.push(Expression::Function(Function { variadic: true, ..call(name, both) }));
            }
        }
    }
    let arguments = ["a", "b", "c", "d"];
    for name in ["named", "named_many", "less", "make_interval", "many"] {
        for first in ["int4", "int8", "text"] {
            for one in arguments {
                let named = |name: &str, ty: &str| (Some(name.to_owned()), column(ty));
                let add = |expressions: &mut Vec<Expression>, arguments, variadic| {
                    let name = name.to_owned();
                    expressions.push(Expression::Function(Function {
                        name,
                        arguments,
                        variadic,
                        ..Function::default()
                    }));
                };
                add(&mut expressions, vec![named(one, first)], false);
                add(&mut expressions, vec![(None, column(first)), named(one, "int4[]")], true);
                for other in arguments {
                    for ty in ["int4", "int8", "text", "numeric"] {
                        add(&mut expressions, vec![named(one, first), named(other, ty)], false);
                        add(&mut expressions, vec![(None, column(first)), named(one, ty)], false);
                        add(
                            &mut expressions,
                            vec![(None, column(first)), named(one, ty), named(other, "text")],
                            false,
                        );
                    }
                }
            }
        }
    }
    agree(&expressions, 40_000, 4_000).await;
}

/// What may stand around a call: each with each kind of function.
#[tokio::test]
async fn aggregates_and_windows_where_they_can_stand() {
    let mut expressions = Vec::new();
    let arguments = [
        vec![],
        vec![column("int4")],
        vec![column("text")],
        vec![Expression::Unknown],
        vec![constant("float8")],
        vec![column("varchar"), column("varchar")],
        vec![column("int4"), column("text")],
        vec![constant("numeric[]")],
    ];
    let names = [
        "count",
        "sum",
        "max",
        "string_agg",
        "array_agg",
        "json_agg",
        "lower",
        "abs",
        "now",
        "row_number",
        "lag",
        "ntile",
        "first_value",
        "rank",
        "dense_rank",
        "cume_dist",
        "mode",
        "percentile_cont",
        "percentile_disc",
        "generate_series",
        "unnest",
        "concat",
        "corr",
        "int4",
        "text",
        "no_such_function",
    ];
    let orders =
        [vec![], vec![column("int4")], vec![column("text")], vec![column("int4"), column("varchar")]];
    for name in names {
        for arguments in &arguments {
            for (order, within) in orders
                .iter()
                .map(|order| (order, &orders[0]))
                .chain(orders[1..].iter().map(|order| (&orders[0], order)))
            {
                for flags in 0..16_u8 {
                    let has = |bit: u8| flags & (1 << bit) != 0;
                    let star = has(0);
                    // SQL has no words for these.
                    let unwritable = star
                        && (!arguments.is_empty() || has(1) || !order.is_empty() || !within.is_empty())
                        || arguments.is_empty() && (has(1) || !order.is_empty())
                        || !within.is_empty() && (has(1));
                    if unwritable {
                        continue;
                    }
                    expressions.push(Expression::Function(Function {
                        star,
                        distinct: has(1),
                        order_by: order.clone(),
                        within_group: within.clone(),
                        filter: has(2),
                        over: has(3),
                        ..call(name, arguments.clone())
                    }));
                }
            }
        }
    }
    // Of an ordered set: direct arguments and sort keys of every type.
    for name in ["percentile_cont", "percentile_disc", "mode", "rank", "cume_dist"] {
        for direct in TYPES.iter().map(|ty| column(ty)).chain([Expression::Unknown]) {
            for key in TYPES.iter().map(|ty| column(ty)).chain([Expression::Unknown]) {
                let within_group = vec![key];
                // A direct argument is no column of a row.
                let direct = match &direct {
                    Expression::Column(ty) => constant(ty),
                    other => other.clone(),
                };
                expressions.push(Expression::Function(Function { within_group, ..call(name, vec![direct]) }));
            }
        }
    }
    agree(&expressions, 10_000, 500).await;
}

#[tokio::test]
async fn sets_where_they_can_stand() {
    let set = || Expression::Function(call("generate_series", vec![column("int4"), column("int4")]));
    let flags = || Expression::Operator("=".to_owned(), vec![set(), column("int4")]);
    let one = || column("int4");
    let expressions = vec![
        set(),
        flags(),
        Expression::Case(None, vec![(flags(), one())], None),
        Expression::Case(None, vec![(column("bool"), set())], None),
        Expression::Case(None, vec![(column("bool"), one())], Some(Box::new(set()))),
        Expression::Case(Some(Box::new(set())), vec![(one(), one())], None),
        Expression::List("COALESCE", SpecialForm::Coalesce, vec![set(), one()]),
        Expression::List("GREATEST", SpecialForm::Greatest, vec![set(), one()]),
        Expression::List("NULLIF", SpecialForm::NullIf, vec![set(), one()]),
        Expression::Array(vec![set()]),
        Expression::In(vec![set(), one(), constant("int4")]),
        Expression::Distinct(vec![set(), one()]),
        Expression::Function(call("abs", vec![set()])),
        Expression::Function(call("sum", vec![set()])),
        Expression::Function(call("array_agg", vec![flags()])),
        Expression::Function(Function { over: true, ..call("lag", vec![set()]) }),
        Expression::Function(Function { over: true, ..call("sum", vec![set()]) }),
        Expression::Function(Function { order_by: vec![set()], ..call("array_agg", vec![one()]) }),
        Expression::Function(Function { within_group: vec![set()], ..call("mode", vec![]) }),
        Expression::Function(call("generate_series", vec![set(), one()])),
        Expression::InQuery(Box::new(one()), Box::new(set())),
        Expression::Case(None, vec![(Expression::InQuery(Box::new(one()), Box::new(set())), one())], None),
    ];
    agree(&expressions, 20, 8).await;
}
