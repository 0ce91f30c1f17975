use std::collections::BTreeSet;

use callslip::catalog::{Oid, PG_CATALOG, TypeKind, Volatility};
use callslip::grants::Grants;
use callslip::grants::builtin::{self, Verdict};

use crate::server::{Server, every_version};

const FUNCTIONS: &str = include_str!("../../../host/src/grants/builtin/functions.txt");
const EXCLUDED_FUNCTIONS: &str = include_str!("../../../host/src/grants/builtin/functions_excluded.txt");
const OPERATORS: &str = include_str!("../../../host/src/grants/builtin/operators.txt");
const CASTS: &str = include_str!("../../../host/src/grants/builtin/casts.txt");
const TYPES: &str = include_str!("../../../host/src/grants/builtin/types.txt");

/// What lists say in so many lines, against what servers have.
struct Check {
    what: &'static str,
    allowed: BTreeSet<&'static str>,
    excluded: BTreeSet<&'static str>,
    /// The lines that a server has.
    met: BTreeSet<String>,
    wrong: Vec<String>,
}

impl Check {
    fn of(what: &'static str, lists: &[&'static str]) -> Self {
        let mut check = Self {
            what,
            allowed: BTreeSet::new(),
            excluded: BTreeSet::new(),
            met: BTreeSet::new(),
            wrong: Vec::new(),
        };
        for list in lists {
            let mut is_allowed = None;
            for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")) {
                if let Some((heading, why)) = line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
                    assert!(why.ends_with('.') || why.ends_with(')'), "{line}: a reason is a sentence");
                    is_allowed = Some(heading == "allowed");
                    assert!(is_allowed == Some(true) || heading == "excluded", "{line}");
                } else {
                    let lines = match is_allowed {
                        Some(true) => &mut check.allowed,
                        Some(false) => &mut check.excluded,
                        None => panic!("{line}: it stands under no reason"),
                    };
                    assert!(lines.insert(line), "{line} stands in a list twice");
                }
            }
        }
        let both: Vec<_> = check.allowed.intersection(&check.excluded).collect();
        assert!(both.is_empty(), "allowed and excluded: {both:?}");
        check
    }

    /// Something that a server has, as the lists write it; what the host makes of it, and whether it may be used.
    fn meet(&mut self, server: &Server, line: String, verdict: Option<Verdict>, granted: bool) {
        let (major, what) = (server.major, self.what);
        let listed = match (self.allowed.contains(line.as_str()), self.excluded.contains(line.as_str())) {
            (false, false) => {
                self.wrong.push(format!(
                    "PostgreSQL {major}: no list in host/src/grants/builtin has the {what} {line}: add this line where \
                     it belongs, under its reason"
                ));
                assert_eq!((verdict, granted), (None, false), "{line}");
                return;
            }
            (is_allowed, _) => is_allowed,
        };
        let read = verdict.is_some_and(Verdict::is_allowed);
        if verdict.is_none() || read != listed || granted != listed {
            self.wrong.push(format!(
                "PostgreSQL {major}: the {what} {line} is {verdict:?} to the host, and granted: {granted}"
            ));
        }
        self.met.insert(line);
    }

    /// Lines that no server has, where every version is here; `also` are those that need not be.
    fn finish(mut self, every: bool, also: impl Fn(&str) -> bool) {
        let lines = self.allowed.iter().chain(&self.excluded).filter(|_| every);
        let stale: Vec<_> = lines.filter(|line| !self.met.contains(**line) && !also(line)).collect();
        self.wrong.extend(stale.iter().map(|line| format!("no PostgreSQL has the {} {line}", self.what)));
        println!(
            "{}s: {} allowed, {} excluded, {} met",
            self.what,
            self.allowed.len(),
            self.excluded.len(),
            self.met.len()
        );
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
    }
}

fn all_are_here() -> bool {
    every_version().len() == 5
}

#[tokio::test]
async fn every_function_of_pg_catalog_is_in_one_list_and_none_that_is_allowed_is_volatile() {
    let mut check = Check::of("function", &[FUNCTIONS, EXCLUDED_FUNCTIONS]);
    let grants = Grants::default();
    for server in every_version() {
        // Whatever reflection leaves out would be found by nobody.
        let sql = "SELECT count(*) FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace";
        let all: i64 = server.client().await.query_one(sql, &[]).await.unwrap().get(0);
        assert_eq!(usize::try_from(all).unwrap(), server.functions().count(), "{}", server.major);
        for function in server.functions() {
            let line = server.signature(function);
            let (verdict, granted) = (builtin::function(function), grants.function(function));
            assert!(!granted || !function.security_definer, "{line}");
            if function.volatility == Volatility::Volatile && verdict.is_some_and(Verdict::is_allowed) {
                // It reads the time at which the transaction began, and is labelled so from 15 on.
                assert_eq!((line.as_str(), server.major), ("timezone(text, timetz)", 14), "it is volatile");
                assert!(!granted);
                continue;
            }
            check.meet(server, line, verdict, granted);
        }
    }
    let adminpack = every_version().iter().any(|server| server.has_adminpack);
    check.finish(all_are_here(), |line| {
        !adminpack && (line.starts_with("pg_file_") || line.starts_with("pg_logdir_"))
    });
}

#[tokio::test]
async fn every_operator_of_pg_catalog_is_in_one_list_and_none_is_volatile() {
    let mut check = Check::of("operator", &[OPERATORS]);
    let grants = Grants::default();
    for server in every_version() {
        let sql = "SELECT count(*) FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace";
        let all: i64 = server.client().await.query_one(sql, &[]).await.unwrap().get(0);
        let operators = server.contents().operators.iter().filter(|its| its.schema == PG_CATALOG);
        let mut met = 0;
        for operator in operators {
            met += 1;
            let left = operator.left.map_or_else(|| "NONE".to_owned(), |oid| server.type_name(oid));
            let line = format!("{}({left}, {})", operator.name, server.type_name(operator.right));
            let behind = operator.function.and_then(|oid| server.catalog.function_by_oid(oid)).unwrap();
            assert_ne!(behind.volatility, Volatility::Volatile, "{line}");
            check.meet(server, line, builtin::operator(operator), grants.operator(operator));
        }
        assert_eq!(usize::try_from(all).unwrap(), met, "{}", server.major);
    }
    check.finish(all_are_here(), |_| false);
}

#[tokio::test]
async fn every_cast_of_pg_catalog_is_in_one_list_and_none_is_volatile() {
    let mut check = Check::of("cast", &[CASTS]);
    let grants = Grants::default();
    for server in every_version() {
        for cast in &server.contents().casts {
            let line = format!("{} AS {}", server.type_name(cast.source), server.type_name(cast.target));
            let verdict = builtin::cast(cast);
            let function = cast.function.and_then(|oid| server.catalog.function_by_oid(oid));
            assert!(function.is_none_or(|its| its.volatility != Volatility::Volatile), "{line}");
            assert_eq!(grants.refused_function(&server.catalog, cast).is_some(), verdict.is_none(), "{line}");
            // The grant of the type that it gives keeps plugins from one that is excluded.
            let target = server.catalog.type_by_oid(server.catalog.element_type(cast.target)).unwrap();
            let granted = grants.ty(target);
            check.meet(server, line, verdict, granted);
        }
    }
    check.finish(all_are_here(), |_| false);
}

#[tokio::test]
async fn every_type_of_pg_catalog_is_in_one_list() {
    let mut check = Check::of("type", &[TYPES]);
    let grants = Grants::default();
    for server in every_version() {
        for ty in server.contents().types.iter().filter(|its| its.schema == PG_CATALOG) {
            match ty.kind {
                // An array is what its elements are, and the rows of the catalogs are nobody's.
                TypeKind::Array { .. } | TypeKind::Composite { .. } => {
                    assert_eq!((builtin::ty(ty), grants.ty(ty)), (None, false), "{}", ty.name);
                }
                _ => check.meet(server, ty.name.clone(), builtin::ty(ty), grants.ty(ty)),
            }
        }
    }
    check.finish(all_are_here(), |_| false);
}

/// The ids of types tell signatures apart: an id that another type had would allow another function.
#[tokio::test]
async fn types_have_the_same_ids_in_every_version() {
    let [first, others @ ..] = every_version() else { panic!("no server") };
    let known = |server: &'static Server, oid: Oid| server.catalog.type_by_oid(oid).map(|ty| &ty.name);
    for server in others {
        for ty in server.contents().types.iter().filter(|ty| ty.schema == PG_CATALOG && ty.oid < 10_000) {
            let before = known(first, ty.oid);
            assert!(before.is_none_or(|name| *name == ty.name), "{}: {}", server.major, ty.name);
        }
    }
}
