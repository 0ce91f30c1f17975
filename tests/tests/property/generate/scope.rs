use callslip_ir::NodeId;

use super::types::Ty;

/// A relation whose columns can be named.
#[derive(Clone, Debug)]
pub struct Relation {
    pub alias: String,
    pub columns: Vec<(String, Ty)>,
    /// Whether it can be named as a whole, of which grouping leaves only columns.
    pub whole: bool,
}

/// The relations that an expression sees: those of its own query, and those of the queries around it.
#[derive(Clone, Debug, Default)]
pub struct Scope<'a> {
    pub relations: Vec<Relation>,
    pub outer: Option<&'a Scope<'a>>,
}

impl<'a> Scope<'a> {
    /// The relations that are not hidden by one of the same alias further in.
    pub fn visible(&'a self) -> Vec<&'a Relation> {
        let mut visible: Vec<&Relation> = Vec::new();
        let mut scope = Some(self);
        while let Some(its) = scope {
            let nearer = visible.len();
            for relation in &its.relations {
                if !visible[..nearer].iter().any(|its| its.alias == relation.alias) {
                    visible.push(relation);
                }
            }
            scope = its.outer;
        }
        visible
    }

    pub fn columns(&'a self, ty: Ty) -> Vec<(&'a str, &'a str)> {
        let of = |relation: &'a Relation| {
            relation.columns.iter().map(|(name, its)| (relation.alias.as_str(), name.as_str(), *its))
        };
        let all = self.visible().into_iter().flat_map(of);
        all.filter(|(.., its)| *its == ty).map(|(alias, name, _)| (alias, name)).collect()
    }
}

/// A window of the WINDOW clause.
#[derive(Clone, Debug)]
pub struct Window {
    pub name: String,
    pub ordered: bool,
    pub framed: bool,
}

/// Where an expression stands.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub scope: &'a Scope<'a>,
    /// What an aggregate's arguments see, where one may stand.
    pub rows: Option<&'a Scope<'a>>,
    /// The windows that a window function may be over, where one may stand.
    pub windows: Option<&'a [Window]>,
    /// The expressions of GROUP BY, which may be repeated.
    pub keys: &'a [(NodeId, Ty)],
    /// Whether what is nested may still nest.
    pub fuel: usize,
}

impl<'a> Place<'a> {
    /// Where there are columns and nothing else.
    pub fn columns(scope: &'a Scope<'a>, fuel: usize) -> Self {
        Self { scope, rows: None, windows: None, keys: &[], fuel }
    }

    pub fn deeper(self) -> Self {
        Self { fuel: self.fuel.saturating_sub(1), ..self }
    }

    pub fn without_windows(self) -> Self {
        Self { windows: None, ..self }
    }
}
