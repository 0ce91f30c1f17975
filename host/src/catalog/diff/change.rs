use std::fmt;

use callslip_ir::snapshot::quoted;

use crate::catalog::ObjectName;

/// One thing that is different between two catalogs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it is about, as the older catalog names it, if that has it.
    pub object: ObjectRef,
    /// What became of it.
    pub what: What,
}

/// What a [`Change`] is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// What kind of thing.
    pub kind: ObjectKind,
    /// The object; of a column, constraint, index or policy, its relation. Without a schema where its kind has none.
    pub name: ObjectName,
    /// What a function or operator takes, as in its signature: `int4, text`; of a cast the type that it gives.
    pub arguments: Option<String>,
    /// The name of a column, constraint, index or policy.
    pub part: Option<String>,
}

/// The kinds of what a [`Change`] is about, in the order in which changes are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// The server as a whole.
    Server,
    /// A setting of the server or the database.
    Setting,
    /// An extension.
    Extension,
    /// A schema.
    Schema,
    /// A relation.
    Relation,
    /// A column of a relation.
    Column,
    /// A primary key, unique constraint or unique index of a relation.
    UniqueKey,
    /// A foreign key of a relation.
    ForeignKey,
    /// A CHECK constraint of a relation or a domain.
    Check,
    /// An EXCLUDE constraint of a relation.
    Exclusion,
    /// An index of a relation.
    Index,
    /// A policy of a relation's row-level security.
    Policy,
    /// A type.
    Type,
    /// A function, aggregate or window function.
    Function,
    /// An operator.
    Operator,
    /// A cast.
    Cast,
    /// A collation.
    Collation,
}

/// What became of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It was not there.
    Appeared {
        /// What it is, in few words: `int8, nullable`; may be empty.
        as_: String,
    },
    /// It is not there any more, or the login can't use it any more.
    Disappeared,
    /// Something of another name has its place and is like it. Names are all that a catalog tells of identity, so this is a
    /// guess: it may have been dropped, and the other one made.
    Renamed {
        /// The other name; of a relation with its schema.
        to: String,
    },
    /// A property of it is another one.
    Changed {
        /// Which: `type`, `default`.
        property: &'static str,
        /// What it was, if there was one.
        from: Option<String>,
        /// What it is, if there is one.
        to: Option<String>,
    },
    /// Something holds of it, or does not any more.
    Is {
        /// What: `nullable`.
        predicate: &'static str,
        /// Whether it holds now.
        now: bool,
    },
    /// It has or does one thing more, or one less.
    Does {
        /// Which relation it has to that: `has the label`, `reads`.
        verb: &'static str,
        /// The thing.
        item: String,
        /// Whether it does now.
        now: bool,
    },
}

impl What {
    /// The property of [`What::Changed`] that is a column's type.
    pub const TYPE: &str = "type";
    /// The property of [`What::Changed`] that is a column's type modifier, where words can't be made of it.
    pub const TYPE_MODIFIER: &str = "type modifier";
    /// The property of [`What::Changed`] that is a relation's, type's or function's kind.
    pub const KIND: &str = "kind";
    /// The property of [`What::Changed`] that is the order of a relation's columns.
    pub const COLUMN_ORDER: &str = "order of the columns";
    /// The predicate of [`What::Is`] of a column that the login may read.
    pub const READABLE: &str = "readable";
    /// The verb of [`What::Does`] of an enum and its labels.
    pub const HAS_LABEL: &str = "has the label";
    /// The property of [`What::Changed`] that is the order of an enum's labels.
    pub const LABEL_ORDER: &str = "order of the labels";
    /// The verb of [`What::Does`] of a relation with columns that the login may not read.
    pub const HIDES: &str = "hides the column";
}

impl ObjectKind {
    /// How people and files name it: `foreign key`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Setting => "setting",
            Self::Extension => "extension",
            Self::Schema => "schema",
            Self::Relation => "relation",
            Self::Column => "column",
            Self::UniqueKey => "unique key",
            Self::ForeignKey => "foreign key",
            Self::Check => "check",
            Self::Exclusion => "exclusion constraint",
            Self::Index => "index",
            Self::Policy => "policy",
            Self::Type => "type",
            Self::Function => "function",
            Self::Operator => "operator",
            Self::Cast => "cast",
            Self::Collation => "collation",
        }
    }
}

impl ObjectRef {
    pub(super) fn new(kind: ObjectKind, schema: &str, name: &str) -> Self {
        let name = ObjectName { schema: schema.to_owned(), name: name.to_owned() };
        Self { kind, name, arguments: None, part: None }
    }

    pub(super) fn with_arguments(mut self, arguments: String) -> Self {
        self.arguments = Some(arguments);
        self
    }

    /// What is a part of this relation or domain.
    pub(super) fn part(&self, kind: ObjectKind, part: &str) -> Self {
        Self { kind, name: self.name.clone(), arguments: None, part: Some(part.to_owned()) }
    }
}

impl fmt::Display for ObjectRef {
    /// `column email of public.person`, `function app.score(int4)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name: &dyn fmt::Display = match self.name.schema.as_str() {
            // A schema, a setting or an extension is in no schema.
            "" => &self.name.name,
            _ => &self.name,
        };
        match (self.kind, &self.part, &self.arguments) {
            (ObjectKind::Server, ..) => f.write_str("PostgreSQL"),
            (ObjectKind::Cast, _, Some(target)) => write!(f, "cast from {name} to {target}"),
            // No operator is written with quotes.
            (ObjectKind::Operator, _, Some(arguments)) => {
                write!(f, "operator {}.{}({arguments})", quoted(&self.name.schema), self.name.name)
            }
            (kind, _, Some(arguments)) => write!(f, "{} {name}({arguments})", kind.as_str()),
            (kind, Some(part), None) => write!(f, "{} {} of {name}", kind.as_str(), quoted(part)),
            (kind, None, None) => write!(f, "{} {name}", kind.as_str()),
        }
    }
}

/// The characters of a value that a sentence shows; a longer one, and one of several lines, is not shown.
const SHOWN_CHARACTERS: usize = 120;

fn is_shown(text: &&String) -> bool {
    text.chars().count() <= SHOWN_CHARACTERS && !text.contains('\n')
}

impl fmt::Display for Change {
    /// One sentence without a point.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let object = &self.object;
        match &self.what {
            What::Appeared { as_ } if as_.is_empty() || !is_shown(&as_) => write!(f, "{object} appeared"),
            What::Appeared { as_ } => write!(f, "{object} appeared: {as_}"),
            What::Disappeared => write!(f, "{object} disappeared"),
            What::Renamed { to } => {
                write!(f, "{object} was probably renamed to {to}, or dropped and {to} made in its place")
            }
            What::Changed { property, from, to } => {
                let (shown_from, shown_to) = (from.as_ref().filter(is_shown), to.as_ref().filter(is_shown));
                match (from, to, shown_from, shown_to) {
                    (.., Some(from), Some(to)) => {
                        write!(f, "{object}: the {property} changed from {from} to {to}")
                    }
                    (Some(_), Some(_), ..) => write!(f, "{object}: the {property} changed"),
                    (None, _, _, Some(to)) => {
                        write!(f, "{object}: the {property} is {to} now, and there was none")
                    }
                    (None, ..) => write!(f, "{object}: there is a {property} now, and there was none"),
                    (_, None, Some(from), _) => {
                        write!(f, "{object}: the {property} is gone, which was {from}")
                    }
                    (_, None, ..) => write!(f, "{object}: the {property} is gone"),
                }
            }
            What::Is { predicate, now: true } => write!(f, "{object} is {predicate} now"),
            What::Is { predicate, now: false } => write!(f, "{object} is not {predicate} any more"),
            What::Does { verb, item, now: true } => write!(f, "{object} {verb} {item} now"),
            What::Does { verb, item, now: false } => write!(f, "{object} no longer {verb} {item}"),
        }
    }
}
