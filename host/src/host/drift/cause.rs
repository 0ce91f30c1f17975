use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{BrokenQuery, ChangedReply, Drift};
use crate::Code;
use crate::catalog::ObjectName;
use crate::catalog::diff::{Change, ObjectKind, What};
use crate::host::prove::ProvenStatement;
use crate::select::{ColumnName, Finding};

/// What statements used of the older catalog.
#[derive(Debug, Default)]
pub(super) struct Used<'a> {
    columns: BTreeSet<&'a ColumnName>,
    objects: BTreeSet<&'a ObjectName>,
}

/// How near a change is to what was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    /// Something around it is another one: a relation has one column more.
    Around,
    /// It is another one.
    Altered,
    /// It is gone.
    Gone,
}

impl<'a> Used<'a> {
    pub fn by(statements: impl Iterator<Item = &'a ProvenStatement>) -> Self {
        let mut used = Self::default();
        for statement in statements {
            used.columns.extend(statement.columns_read.iter());
            used.objects.extend(statement.objects.iter());
        }
        used
    }

    /// How near a change is to what was used; nothing, if it can't matter.
    fn claim(&self, change: &Change) -> Option<Claim> {
        let object = &change.object;
        let uses = self.objects.contains(&object.name);
        let itself = match &change.what {
            What::Disappeared | What::Renamed { .. } => Claim::Gone,
            What::Appeared { .. } => Claim::Around,
            What::Changed { .. } | What::Is { .. } | What::Does { .. } => Claim::Altered,
        };
        match (object.kind, &change.what) {
            (ObjectKind::Column, what) => self.claim_of_column(change, what, itself),
            // What is new may be found before what was used, or beside it.
            (
                ObjectKind::Relation | ObjectKind::Type | ObjectKind::Function | ObjectKind::Operator,
                What::Appeared { .. },
            ) => self.objects.iter().any(|its| its.name == object.name.name).then_some(Claim::Around),
            (ObjectKind::Relation, What::Disappeared | What::Renamed { .. }) => uses.then_some(Claim::Gone),
            (ObjectKind::Relation, What::Changed { property: What::KIND, .. }) => {
                uses.then_some(Claim::Altered)
            }
            (
                ObjectKind::Relation,
                What::Changed { property: What::COLUMN_ORDER, .. } | What::Does { verb: What::HIDES, .. },
            ) => uses.then_some(Claim::Around),
            // Keys and checks that are new refuse no query.
            (ObjectKind::UniqueKey | ObjectKind::Check | ObjectKind::Collation, What::Appeared { .. }) => {
                None
            }
            (
                ObjectKind::Type,
                What::Changed { property: What::LABEL_ORDER, .. }
                | What::Does { verb: What::HAS_LABEL, now: true, .. },
            ) => None,
            (_, What::Changed { property: "owner" | "comment" | "extension" | "default", .. })
            | (
                ObjectKind::Function,
                What::Changed { property: "language" | "parallel safety", .. }
                | What::Is { predicate: "strict" | "leakproof", .. },
            ) => None,
            (
                ObjectKind::UniqueKey
                | ObjectKind::Check
                | ObjectKind::Type
                | ObjectKind::Collation
                | ObjectKind::Function
                | ObjectKind::Operator,
                _,
            ) => uses.then_some(itself),
            (ObjectKind::Cast, _) => {
                let is_of = |its: &&ObjectName| {
                    let name = its.to_string();
                    name == object.name.name || Some(&name) == object.arguments.as_ref()
                };
                self.objects.iter().any(is_of).then_some(itself)
            }
            (ObjectKind::Server, _) => Some(Claim::Around),
            (
                ObjectKind::Setting
                | ObjectKind::Extension
                | ObjectKind::Schema
                | ObjectKind::Relation
                | ObjectKind::ForeignKey
                | ObjectKind::Exclusion
                | ObjectKind::Index
                | ObjectKind::Policy,
                _,
            ) => None,
        }
    }

    fn claim_of_column(&self, change: &Change, what: &What, itself: Claim) -> Option<Claim> {
        let object = &change.object;
        let uses = self.objects.contains(&object.name);
        let column =
            ColumnName { relation: object.name.clone(), column: object.part.clone().unwrap_or_default() };
        let reads = self.columns.contains(&column);
        match what {
            What::Changed { property: What::TYPE | What::TYPE_MODIFIER, .. } if reads => Some(itself),
            What::Disappeared | What::Renamed { .. } | What::Is { predicate: What::READABLE, now: false }
                if reads =>
            {
                Some(Claim::Gone)
            }
            // It may have been one of a whole row, or of those that column aliases count.
            What::Appeared { .. }
            | What::Disappeared
            | What::Renamed { .. }
            | What::Is { predicate: What::READABLE, .. } => uses.then_some(Claim::Around),
            _ => None,
        }
    }

    /// Which of these changes are the nearest to what was used, of those that may be why of something.
    fn nearest(&self, drift: &Drift, least: Claim, may_be_why: impl Fn(&Change) -> bool) -> Vec<usize> {
        let claims: Vec<_> = drift
            .effects
            .iter()
            .map(|effect| {
                let claim = self.claim(&effect.change).filter(|claim| *claim >= least);
                claim.filter(|_| may_be_why(&effect.change))
            })
            .collect();
        let Some(nearest) = claims.iter().flatten().max() else { return Vec::new() };
        (0..claims.len()).filter(|at| claims[*at].as_ref() == Some(nearest)).collect()
    }

    /// The changes that are why of a finding, if what was used tells. Of what only the database has said, and may always have
    /// said, a change around what was used is no reason.
    fn why(&self, drift: &Drift, finding: &Finding, only_described: bool) -> Vec<usize> {
        let code = code(finding);
        let least = if only_described { Claim::Altered } else { Claim::Around };
        let why = self.nearest(drift, least, |change| may_cause(change, code));
        // Of several columns that are gone, it is the one that is named.
        let names = |at: &&usize| {
            let part = drift.effects[**at].change.object.part.as_ref();
            part.is_some_and(|part| finding.message.contains(&format!("\"{part}\"")))
        };
        let named: Vec<usize> = why.iter().filter(names).copied().collect();
        match named.is_empty() {
            false => named,
            true if why.is_empty() && !only_described => {
                self.nearest(drift, Claim::Altered, |change| !is_of_one_code(change.object.kind))
            }
            true => why,
        }
    }
}

/// The code of a finding; where PostgreSQL itself has made it, that of what it says.
fn code(finding: &Finding) -> Code {
    if !matches!(finding.code, Code::DescribeFailed | Code::StaleStatement) {
        return finding.code;
    }
    let says = |sqlstate| finding.message.contains(&format!("SQLSTATE {sqlstate}"));
    let codes = [
        ("42803", Code::UngroupedColumn),
        ("42703", Code::UnknownColumn),
        ("42P01", Code::UnknownRelation),
        ("42883", Code::UnknownFunction),
        ("42804", Code::NoCommonType),
        ("22P02", Code::InvalidConstant),
        ("23514", Code::InvalidConstant),
    ];
    codes.iter().find(|(sqlstate, _)| says(sqlstate)).map_or(finding.code, |(_, code)| *code)
}

/// Whether changes of this kind are only why of findings of a code of their own.
fn is_of_one_code(kind: ObjectKind) -> bool {
    matches!(kind, ObjectKind::UniqueKey | ObjectKind::Check | ObjectKind::Collation)
}

/// Whether a change of what a query uses may lead to a finding of this code.
fn may_cause(change: &Change, code: Code) -> bool {
    let kind = change.object.kind;
    let is_type_of_column = matches!(change.what, What::Changed { property: What::TYPE, .. });
    let is_other_column = is_type_of_column || matches!(change.what, What::Appeared { .. });
    match code {
        Code::UnknownRelation | Code::RelationNotGranted => kind == ObjectKind::Relation,
        Code::UnknownColumn | Code::DuplicateColumn => match kind {
            ObjectKind::Column => !is_type_of_column,
            ObjectKind::Relation | ObjectKind::Type | ObjectKind::Function => true,
            _ => false,
        },
        // GROUP BY a primary key groups by all columns.
        Code::UngroupedColumn => match kind {
            ObjectKind::UniqueKey => true,
            ObjectKind::Relation => matches!(change.what, What::Changed { property: What::KIND, .. }),
            _ => false,
        },
        Code::UnknownCollation => kind == ObjectKind::Collation,
        Code::ServerTooOld => kind == ObjectKind::Server,
        Code::InvalidConstant => match kind {
            ObjectKind::Column => is_type_of_column,
            ObjectKind::Type | ObjectKind::Check | ObjectKind::Cast | ObjectKind::Server => true,
            _ => false,
        },
        // These are of the types of what was found: a column that is gone is told by its name.
        Code::UnknownOperator | Code::UnknownFunction | Code::NoCommonType | Code::UnknownCast => {
            match kind {
                ObjectKind::Column => is_other_column,
                ObjectKind::Function => code != Code::UnknownOperator,
                ObjectKind::Operator => code != Code::UnknownFunction,
                kind => !is_of_one_code(kind),
            }
        }
        _ => !is_of_one_code(kind),
    }
}

impl Drift {
    /// Tells of a broken query at the changes that are why, at each with what is wrong because of it. `only_described` is
    /// whether nothing but the live database finds anything wrong with it: what no change explains may then have been so before.
    pub(super) fn blame(&mut self, broken: BrokenQuery, used: &Used<'_>, only_described: bool) {
        let mut at_changes: BTreeMap<Option<usize>, Vec<Finding>> = BTreeMap::new();
        for finding in &broken.findings {
            let why = used.why(self, finding, only_described);
            let unexplained = why.is_empty().then_some(None);
            for at in why.into_iter().map(Some).chain(unexplained) {
                at_changes.entry(at).or_default().push(finding.clone());
            }
        }
        for (at, findings) in at_changes {
            let broken = BrokenQuery { findings, ..broken.clone() };
            match at {
                Some(at) => self.effects[at].breaks.push(Arc::new(broken)),
                None if only_described => self.refused.push(broken),
                None => self.breaks.push(Arc::new(broken)),
            }
        }
    }

    pub(super) fn blame_reply(&mut self, reply: ChangedReply, used: &Used<'_>) {
        let reply = Arc::new(reply);
        match used.nearest(self, Claim::Around, |change| !is_of_one_code(change.object.kind)) {
            nearest if nearest.is_empty() => self.replies.push(reply),
            nearest => nearest.into_iter().for_each(|at| self.effects[at].replies.push(reply.clone())),
        }
    }

    /// Tells of a grant that names nothing any more at the change that took it away.
    pub(super) fn blame_grant(&mut self, broken: BrokenQuery, only_described: bool) {
        let names = |change: &Change| {
            let is_gone = matches!(change.what, What::Disappeared | What::Renamed { .. });
            let ObjectName { schema, name } = &change.object.name;
            let quoted = [format!("\"{name}\""), format!("\"{schema}.{name}\"")];
            let is_named = |its: &Finding| quoted.iter().any(|name| its.message.contains(name));
            is_gone && change.object.part.is_none() && broken.findings.iter().any(is_named)
        };
        match self.effects.iter_mut().find(|effect| names(&effect.change)) {
            Some(effect) => effect.breaks.push(Arc::new(broken)),
            None if only_described => self.refused.push(broken),
            None => self.breaks.push(Arc::new(broken)),
        }
    }
}
