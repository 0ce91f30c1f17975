use std::collections::BTreeSet;
use std::sync::Arc;

use super::{BrokenQuery, ChangedReply, Drift};
use crate::catalog::ObjectName;
use crate::catalog::diff::{Change, ObjectKind, What};
use crate::host::prove::ProvenStatement;
use crate::select::ColumnName;

/// What statements used of the older catalog.
#[derive(Debug, Default)]
pub(super) struct Used<'a> {
    columns: BTreeSet<&'a ColumnName>,
    objects: BTreeSet<&'a ObjectName>,
}

/// How near a change is to what was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    /// Something around it is another one: a relation has one column more, one key less.
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
            used.columns.extend(&statement.columns_read);
            used.objects.extend(&statement.objects);
        }
        used
    }

    fn claim(&self, change: &Change) -> Option<Claim> {
        let object = &change.object;
        let uses = self.objects.contains(&object.name);
        let itself = match &change.what {
            What::Disappeared | What::Renamed { .. } => Claim::Gone,
            What::Appeared { .. } => Claim::Around,
            What::Changed { .. } | What::Is { .. } | What::Does { .. } => Claim::Altered,
        };
        match object.kind {
            ObjectKind::Column => {
                let column = ColumnName {
                    relation: object.name.clone(),
                    column: object.part.clone().unwrap_or_default(),
                };
                let reads = self.columns.contains(&column);
                match &change.what {
                    What::Appeared { .. } => uses.then_some(Claim::Around),
                    What::Changed { property: What::TYPE | What::TYPE_MODIFIER, .. } if reads => Some(itself),
                    What::Is { predicate: What::READABLE, .. } if reads => Some(Claim::Gone),
                    What::Disappeared | What::Renamed { .. } if reads => Some(itself),
                    // It may have been one of a whole row, or of those that column aliases count.
                    What::Disappeared | What::Renamed { .. } => uses.then_some(Claim::Around),
                    _ => None,
                }
            }
            ObjectKind::Relation => match &change.what {
                What::Disappeared | What::Renamed { .. } => uses.then_some(Claim::Gone),
                What::Changed { property: What::KIND, .. } => uses.then_some(Claim::Altered),
                What::Changed { property: What::COLUMN_ORDER, .. } | What::Does { verb: What::HIDES, .. } => {
                    uses.then_some(Claim::Around)
                }
                _ => None,
            },
            // GROUP BY a primary key groups by all columns.
            ObjectKind::UniqueKey => uses.then_some(Claim::Around),
            ObjectKind::Type | ObjectKind::Collation => {
                let is_of_no_effect =
                    matches!(change.what, What::Changed { property: "owner" | "comment" | "extension", .. });
                (uses && !is_of_no_effect).then_some(itself)
            }
            // Of that name there may be others, and which one was used is not known here.
            ObjectKind::Function | ObjectKind::Operator => uses.then_some(Claim::Altered),
            ObjectKind::Cast => {
                let is_of = |its: &&ObjectName| {
                    let name = its.to_string();
                    name == object.name.name || Some(&name) == object.arguments.as_ref()
                };
                self.objects.iter().any(is_of).then_some(Claim::Around)
            }
            ObjectKind::Server => Some(Claim::Around),
            ObjectKind::Setting
            | ObjectKind::Extension
            | ObjectKind::Schema
            | ObjectKind::ForeignKey
            | ObjectKind::Check
            | ObjectKind::Exclusion
            | ObjectKind::Index
            | ObjectKind::Policy => None,
        }
    }
}

impl Drift {
    /// Tells of a broken query at the changes that are nearest to what it used.
    pub(super) fn blame(&mut self, broken: BrokenQuery, used: &Used<'_>) {
        let broken = Arc::new(broken);
        match self.nearest(used) {
            nearest if nearest.is_empty() => self.breaks.push(broken),
            nearest => nearest.into_iter().for_each(|at| self.effects[at].breaks.push(broken.clone())),
        }
    }

    pub(super) fn blame_reply(&mut self, reply: ChangedReply, used: &Used<'_>) {
        let reply = Arc::new(reply);
        match self.nearest(used) {
            nearest if nearest.is_empty() => self.replies.push(reply),
            nearest => nearest.into_iter().for_each(|at| self.effects[at].replies.push(reply.clone())),
        }
    }

    /// Tells of a grant that names nothing any more at the change that took it away.
    pub(super) fn blame_grant(&mut self, broken: BrokenQuery) {
        let broken = Arc::new(broken);
        let names = |change: &Change| {
            let is_gone = matches!(change.what, What::Disappeared | What::Renamed { .. });
            let ObjectName { schema, name } = &change.object.name;
            let quoted = [format!("\"{name}\""), format!("\"{schema}.{name}\"")];
            let is_named =
                |its: &crate::select::Finding| quoted.iter().any(|name| its.message.contains(name));
            is_gone && change.object.part.is_none() && broken.findings.iter().any(is_named)
        };
        match self.effects.iter_mut().find(|effect| names(&effect.change)) {
            Some(effect) => effect.breaks.push(broken),
            None => self.breaks.push(broken),
        }
    }

    fn nearest(&self, used: &Used<'_>) -> Vec<usize> {
        let claims: Vec<_> = self.effects.iter().map(|effect| used.claim(&effect.change)).collect();
        let Some(nearest) = claims.iter().flatten().max() else { return Vec::new() };
        let is_nearest = |at: &usize| claims[*at].as_ref() == Some(nearest);
        (0..claims.len()).filter(is_nearest).collect()
    }
}
