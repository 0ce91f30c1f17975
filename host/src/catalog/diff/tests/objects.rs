//! The fields of what is no relation, and what is told where one is another.

use super::everything::{INT4, INT8, TEXT, attribute, contents, name};
use super::{assert_told, told, ty, words};
use crate::catalog::{
    CastContext, Collation, Contents, Function, FunctionKind, Operator, PG_CATALOG, Parallel, Type, TypeKind,
    Volatility,
};

#[test]
fn of_a_type() {
    fn rules(c: &mut Contents) -> &mut crate::catalog::DomainRules {
        match &mut ty(c, "low").kind {
            TypeKind::Domain { rules, .. } => rules,
            other => panic!("{other:?}"),
        }
    }
    assert_told(&[
        (|c| c.types.retain(|ty| ty.name != "place"), &["type app.place disappeared"]),
        (
            |c| {
                let hue = Type { oid: 1, name: "hue".into(), ..ty(c, "mood").clone() };
                c.types.push(hue);
            },
            &["type app.hue appeared: enum: calm, cross"],
        ),
        (
            |c| ty(c, "place").kind = TypeKind::Base,
            &["type app.place: the kind changed from composite type to base type"],
        ),
        (|c| ty(c, "mood").category = 'E', &["type app.mood: the category changed from X to E"]),
        (|c| ty(c, "mood").preferred = true, &["type app.mood is preferred in its category now"]),
        (
            |c| ty(c, "_mood").name = "moods".into(),
            &["type app.mood: the array type changed from app._mood to app.moods"],
        ),
        (|c| ty(c, "mood").array = None, &["type app.mood: the array type is gone, which was app._mood"]),
        (|c| ty(c, "mood").owner = "me".into(), &["type app.mood: the owner changed from owner to me"]),
        (
            |c| ty(c, "mood").extension = Some("x".into()),
            &["type app.mood: the extension is x now, and there was none"],
        ),
        (
            |c| ty(c, "mood").comment = Some("x".into()),
            &["type app.mood: the comment is x now, and there was none"],
        ),
        (
            |c| ty(c, "mood").kind = TypeKind::Enum { labels: vec!["cross".into(), "calm".into()] },
            &["type app.mood: the order of the labels changed from calm, cross to cross, calm"],
        ),
        (
            |c| ty(c, "mood").kind = TypeKind::Enum { labels: vec!["calm".into(), "sad".into()] },
            &["type app.mood no longer has the label cross", "type app.mood has the label sad now"],
        ),
        (
            |c| match &mut ty(c, "low").kind {
                TypeKind::Domain { base, .. } => *base = INT8,
                other => panic!("{other:?}"),
            },
            &["type app.low: the base type changed from int4 to int8"],
        ),
        (
            |c| rules(c).type_modifier = Some(5),
            &["type app.low: the type modifier is 5 now, and there was none"],
        ),
        (|c| rules(c).not_null = true, &["type app.low is one that refuses null now"]),
        (
            |c| rules(c).default = Some("1".into()),
            &["type app.low: the default is 1 now, and there was none"],
        ),
        (
            |c| rules(c).collation = Some(name("german")),
            &["type app.low: the collation is app.german now, and there was none"],
        ),
        (|c| rules(c).checks.clear(), &["check positive of app.low disappeared"]),
        (
            |c| {
                ty(c, "place").kind =
                    TypeKind::Composite { attributes: vec![attribute("y", INT4), attribute("x", TEXT)] }
            },
            &[
                "type app.place no longer has the attribute x int4",
                "type app.place has the attribute x text now",
            ],
        ),
        (
            |c| {
                ty(c, "place").kind =
                    TypeKind::Composite { attributes: vec![attribute("y", INT4), attribute("x", INT4)] }
            },
            &["type app.place: the order of the attributes changed from x int4, y int4 to y int4, x int4"],
        ),
        (
            |c| ty(c, "span").kind = TypeKind::Range { subtype: INT8, collation: None },
            &["type app.span: the subtype changed from int4 to int8"],
        ),
        (
            |c| ty(c, "span").kind = TypeKind::Range { subtype: INT4, collation: Some(name("german")) },
            &["type app.span: the collation is app.german now, and there was none"],
        ),
        (
            |c| ty(c, "spans").kind = TypeKind::Multirange { range: INT4 },
            &["type app.spans: the range type changed from app.span to int4"],
        ),
    ]);
}

#[test]
fn of_a_function() {
    fn f(c: &mut Contents) -> &mut Function {
        &mut c.functions[0]
    }
    const F: &str = "function app.f(int4)";
    type OfFunction = (fn(&mut Function), &'static [&'static str]);
    let cases: &[OfFunction] = &[
        (|f| f.kind = FunctionKind::Window, &[": the kind changed from function to window function"]),
        (|f| f.argument_names = vec!["b".into()], &[": the list of argument names changed from a to b"]),
        (|f| f.defaults = 1, &[": the number of arguments that may be left out changed from 0 to 1"]),
        (|f| f.variadic = Some(INT4), &[": the VARIADIC type is int4 now, and there was none"]),
        (|f| f.returns = TEXT, &[": the result type changed from int4 to text"]),
        (|f| f.columns.clear(), &[" no longer gives the column x int4"]),
        (|f| f.returns_set = true, &[" is one that returns a set now"]),
        (|f| f.volatility = Volatility::Volatile, &[": the volatility changed from IMMUTABLE to VOLATILE"]),
        (|f| f.security_definer = true, &[" is run with its owner's rights (SECURITY DEFINER) now"]),
        (|f| f.strict = true, &[" is strict now"]),
        (|f| f.leakproof = true, &[" is leakproof now"]),
        (
            |f| f.parallel = Parallel::Safe,
            &[": the parallel safety changed from PARALLEL UNSAFE to PARALLEL SAFE"],
        ),
        (|f| f.language = "c".into(), &[": the language changed from sql to c"]),
        (|f| f.owner = "me".into(), &[": the owner changed from owner to me"]),
        (|f| f.extension = Some("x".into()), &[": the extension is x now, and there was none"]),
        (|f| f.comment = Some("x".into()), &[": the comment is x now, and there was none"]),
    ];
    for (change, expected) in cases {
        let expected: Vec<String> = expected.iter().map(|words| format!("{F}{words}")).collect();
        assert_eq!(told(|c| change(f(c))), expected);
    }
    assert_eq!(
        told(|c| f(c).kind = FunctionKind::OrderedSet { direct: 1 }),
        [
            format!("{F}: the kind changed from function to ordered-set aggregate"),
            format!("{F}: the number of direct arguments is 1 now, and there was none"),
        ]
    );
    // Another signature is another function.
    let (gone, made) = ("function app.f(int4) disappeared", "function app.f(int8) appeared: returns int4");
    let renamed = told(|c| {
        f(c).arguments = vec![INT8];
        c.operators[0].function = None;
        c.casts[0].function = None;
    });
    assert_eq!(renamed[..2], [gone, made]);
}

#[test]
fn of_operators_casts_and_collations() {
    fn operator(c: &mut Contents) -> &mut Operator {
        &mut c.operators[0]
    }
    assert_told(&[
        (|c| c.operators.clear(), &["operator app.<->(int4, int4) disappeared"]),
        (
            |c| operator(c).left = None,
            &[
                "operator app.<->(int4, int4) disappeared",
                "operator app.<->(none, int4) appeared: gives int4",
            ],
        ),
        (
            |c| operator(c).right = INT8,
            &[
                "operator app.<->(int4, int4) disappeared",
                "operator app.<->(int4, int8) appeared: gives int4",
            ],
        ),
        (
            |c| operator(c).result = TEXT,
            &["operator app.<->(int4, int4): the result type changed from int4 to text"],
        ),
        (
            |c| operator(c).extension = Some("x".into()),
            &["operator app.<->(int4, int4): the extension is x now, and there was none"],
        ),
        (|c| c.casts.clear(), &["cast from app.mood to text disappeared"]),
        (
            |c| c.casts[0].target = INT4,
            &["cast from app.mood to int4 appeared: explicit", "cast from app.mood to text disappeared"],
        ),
        (
            |c| c.casts[0].function = None,
            &["cast from app.mood to text: the function is gone, which was app.f(int4)"],
        ),
        (
            |c| c.casts[0].context = CastContext::Implicit,
            &["cast from app.mood to text: the context changed from explicit to implicit"],
        ),
        (|c| c.casts[0].binary = true, &["cast from app.mood to text is binary-coercible now"]),
        (
            |c| c.casts[0].extension = Some("x".into()),
            &["cast from app.mood to text: the extension is x now, and there was none"],
        ),
        (|c| c.collations.clear(), &["collation app.german disappeared"]),
        (
            |c| c.collations.push(Collation { schema: "app".into(), ..Collation::default() }),
            &["collation app.\"\" appeared"],
        ),
        (|c| c.collations[0].nondeterministic = true, &["collation app.german is nondeterministic now"]),
    ]);
}

#[test]
fn of_the_function_of_an_operator_which_no_file_keeps() {
    let (old, mut new) = (contents(), contents());
    new.operators[0].function = None;
    let expected = ["operator app.<->(int4, int4): the function is gone, which was app.f(int4)"];
    assert_eq!(words(&old, &new), expected);
}

#[test]
fn what_one_side_can_not_know_is_not_told() {
    let whole = contents();
    // The first format of snapshots knew of no owners, and of nothing that came with them.
    let mut first = whole.clone();
    let (schemas, extensions) = (&mut first.schemas, &mut first.extensions);
    schemas.clear();
    extensions.clear();
    first.settings.clear();
    for relation in &mut first.relations {
        relation.owner.clear();
        relation.checks.clear();
        relation.exclusions.clear();
        relation.indexes.clear();
        relation.row_security.policies.clear();
        (relation.partitioning, relation.partition_of, relation.view) = (None, None, None);
        relation.inherits.clear();
    }
    first.types.iter_mut().for_each(|ty| ty.owner.clear());
    first.functions.iter_mut().for_each(|function| function.owner.clear());
    first.operators[0].function = None;
    assert_eq!(words(&first, &whole), [""; 0]);
    assert_eq!(words(&whole, &first), [""; 0]);
    first.relations[0].columns[0].nullable = true;
    assert_eq!(words(&whole, &first), ["column id of app.person is nullable now"]);

    // Of PostgreSQL's own a snapshot holds a part.
    let lower = Function { schema: PG_CATALOG.into(), name: "lower".into(), ..whole.functions[0].clone() };
    let with = |partial, volatility| {
        let mut contents = whole.clone();
        contents.partial = partial;
        contents.functions.push(Function { oid: 301, volatility, ..lower.clone() });
        contents
    };
    let partial = Contents { partial: true, ..whole.clone() };
    assert_eq!(words(&partial, &with(true, Volatility::Stable)), [""; 0]);
    assert_eq!(words(&whole, &with(true, Volatility::Stable)), [""; 0]);
    assert_eq!(
        words(&whole, &with(false, Volatility::Stable)),
        ["function lower(int4) appeared: returns int4"]
    );
    let (stable, volatile) = (with(true, Volatility::Stable), with(true, Volatility::Volatile));
    assert_eq!(
        words(&stable, &volatile),
        ["function lower(int4): the volatility changed from STABLE to VOLATILE"]
    );

    // And of another major version it is another one.
    let later = Contents { server_version: 160_003, ..volatile };
    assert_eq!(words(&stable, &later), ["PostgreSQL: the version changed from 15 to 16"]);
}
