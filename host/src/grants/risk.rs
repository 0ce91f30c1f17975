use std::collections::BTreeMap;
use std::fmt;

use super::granted::Granted;
use super::{Grants, missing};
use crate::catalog::{Catalog, Function, Oid, SearchPath, Volatility};

/// What a function that was granted may do beyond what a query needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Risk {
    /// It runs with the rights of its owner, whatever the host's login may do (SECURITY DEFINER).
    SecurityDefiner,
    /// It is volatile: it may write, wait or give another result each time. A read-only transaction keeps it from writing
    /// rows and from little else.
    Volatile,
    /// Both.
    VolatileSecurityDefiner,
}

impl Risk {
    /// The risk of granting a function, if there is one.
    pub fn of(function: &Function) -> Option<Self> {
        match (function.security_definer, function.volatility == Volatility::Volatile) {
            (true, true) => Some(Self::VolatileSecurityDefiner),
            (true, false) => Some(Self::SecurityDefiner),
            (false, true) => Some(Self::Volatile),
            (false, false) => None,
        }
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SecurityDefiner => "runs with its owner's rights (SECURITY DEFINER)",
            Self::Volatile => "is volatile, so that it may do more than compute",
            Self::VolatileSecurityDefiner => {
                "runs with its owner's rights (SECURITY DEFINER) and is volatile, so that it may do more than compute"
            }
        })
    }
}

/// A function that was granted, by itself or behind an operator or a cast, and what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RiskyGrant {
    /// The function with its signature, as a grant writes it.
    pub function: String,
    /// What it may do.
    pub risk: Risk,
}

impl Grants {
    /// The functions that were granted and that may do more than compute with the rights of the login. A function is granted
    /// with all that it does, so that these deserve a look.
    pub fn risky(&self, catalog: &Catalog, path: &SearchPath) -> Vec<RiskyGrant> {
        let contents = catalog.contents();
        let named = contents.functions.iter().filter(|its| {
            let granted = self.functions.get(&its.schema, &its.name);
            !its.hidden && granted.is_some_and(|granted| granted.has(its.arguments.as_slice()))
        });
        let of_operators = contents.operators.iter().filter(|its| {
            let granted = self.operators.get(&its.schema, &its.name);
            granted.is_some_and(|granted: &Granted<_>| granted.has(&(its.left, its.right)))
        });
        let of_casts = self.casts.iter().filter_map(|(source, target)| catalog.cast(*source, *target));
        let behind =
            of_operators.filter_map(|its| its.function).chain(of_casts.filter_map(|its| its.function));
        let behind = behind.filter_map(|oid| catalog.function_by_oid(oid));
        let risky = named.chain(behind).filter_map(|its| Some((its.oid, (its, Risk::of(its)?))));
        let risky: BTreeMap<Oid, (&Function, Risk)> = risky.collect();
        let told = |(function, risk)| {
            let function = missing::signature(catalog, path, function);
            RiskyGrant { function, risk }
        };
        risky.into_values().map(told).collect()
    }
}
