use std::collections::BTreeSet;
use std::rc::Rc;

use callslip_ir::NodeId;

use crate::catalog::Oid;

/// A column that a query gives, or that a relation in scope has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ScopeColumn {
    /// Its name; none for an expression that was not given one.
    pub name: Option<Rc<str>>,
    /// Its type, where it was inferred.
    pub ty: Option<Oid>,
    /// The column of a stored relation that naming it reads.
    pub origin: Option<Origin>,
    /// What tells how large its values can be.
    pub source: Source,
    /// The node that names that relation, if it is a filtered one.
    pub table: Option<NodeId>,
}

impl ScopeColumn {
    /// A column that a query makes.
    pub fn made(name: Option<Rc<str>>, ty: Option<Oid>) -> Self {
        Self { name, ty, origin: None, table: None, source: Source::Unknown }
    }

    /// The columns that a query gives.
    pub fn of_query(columns: Vec<Self>, query: NodeId) -> Vec<Self> {
        let numbered = columns.into_iter().zip(0..);
        numbered.map(|(column, index)| Self { source: Source::Query(query, index), ..column }).collect()
    }

    /// The columns that are made of a value.
    pub fn of_node(columns: Vec<Self>, node: NodeId) -> Vec<Self> {
        columns.into_iter().map(|column| Self { source: Source::Node(node), ..column }).collect()
    }
}

/// Where the values of a column come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Source {
    /// Out of a stored relation.
    Stored,
    /// They are a column of a query, by its position.
    Query(NodeId, u32),
    /// They are made of this: a call, or the JSON of JSON_TABLE.
    Node(NodeId),
    /// That is not known.
    #[default]
    Unknown,
}

/// A column of a stored relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Origin {
    pub relation: Oid,
    /// Its position among the relation's columns.
    pub column: usize,
}

/// A relation that columns can be named of.
#[derive(Clone, Debug)]
pub(super) struct ScopeRelation {
    pub alias: Rc<str>,
    /// What it is an alias of, for messages.
    pub of: Rc<str>,
    /// Its columns, shared since each join looks at all relations before it; none where it could not be resolved,
    /// which is a finding already.
    pub columns: Option<Rc<[ScopeColumn]>>,
    /// Why nothing of it can be named here, though its alias is taken.
    pub out_of_reach: Option<&'static str>,
    /// The type of its whole row; none for one that has no name, a `record`.
    pub row_type: Option<Oid>,
    /// The columns that PostgreSQL counts among its own, and that are not among these.
    pub hidden: Vec<Rc<HiddenColumns>>,
}

/// The columns of a stored relation that can't be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HiddenColumns {
    pub relation: Oid,
    /// What the relation was named, for messages.
    pub of: Rc<str>,
    /// How many of them the host's login may not read.
    pub unreadable: usize,
    /// Those of the others that were not granted.
    pub ungranted: BTreeSet<String>,
}

/// What an item of FROM brings.
#[derive(Debug, Default)]
pub(super) struct FromItem {
    /// What columns can be named of: one relation, or those that a join leaves visible.
    pub relations: Vec<ScopeRelation>,
    /// The columns of the item as a whole, which USING and NATURAL look among and an alias of a join renames; none
    /// where they could not be resolved.
    pub columns: Option<Vec<ScopeColumn>>,
    /// The columns of the relations in it that are not among these.
    pub hidden: Vec<Rc<HiddenColumns>>,
}

impl FromItem {
    pub fn of(relation: ScopeRelation) -> Self {
        let columns = relation.columns.as_deref().map(<[ScopeColumn]>::to_vec);
        let hidden = relation.hidden.clone();
        Self { relations: vec![relation], columns, hidden }
    }
}

/// The relations that an expression sees: those of its own query, and those of the queries around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    pub relations: &'a [ScopeRelation],
    pub outer: Option<&'a Scope<'a>>,
}

impl<'a> Scope<'a> {
    pub const EMPTY: Scope<'static> = Scope { relations: &[], outer: None };

    /// The scopes from the inside out.
    pub fn chain(&self) -> impl Iterator<Item = &Scope<'a>> {
        std::iter::successors(Some(self), |scope| scope.outer)
    }

    /// The relation of that alias; one nearer hides one further out.
    pub fn relation(&self, alias: &str) -> Option<&'a ScopeRelation> {
        self.chain().find_map(|scope| scope.relations.iter().find(|relation| &*relation.alias == alias))
    }
}

/// A CTE that relations can name.
#[derive(Clone, Debug)]
pub(super) struct ScopeCte<'a> {
    pub name: &'a str,
    pub columns: CteColumns,
    /// Whether it is the one whose recursive term is being verified.
    pub recurses: bool,
}

/// What is known of a CTE's columns.
#[derive(Clone, Debug)]
pub(super) enum CteColumns {
    /// They are these.
    Known(Rc<[ScopeColumn]>),
    /// It could not be resolved, which is a finding already.
    Unknown,
    /// It is declared further on in the same WITH RECURSIVE.
    Later,
}
