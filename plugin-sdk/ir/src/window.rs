use serde::{Deserialize, Serialize};

use crate::{NodeId, Order};

/// `[base] [PARTITION BY …] [ORDER BY …] [frame]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Window {
    /// A window of the WINDOW clause that this one starts from.
    pub base: Option<String>,
    /// `PARTITION BY`.
    pub partition_by: Vec<NodeId>,
    /// `ORDER BY`.
    pub order_by: Vec<Order>,
    /// The frame.
    pub frame: Option<Frame>,
}

/// `ROWS|RANGE|GROUPS BETWEEN start AND end [EXCLUDE …]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Frame {
    /// What the bounds count.
    pub mode: FrameMode,
    /// Where it starts.
    pub start: Bound,
    /// Where it ends; without one, at the current row.
    pub end: Option<Bound>,
    /// Which rows around the current one are left out.
    pub exclude: Exclude,
}

/// What the bounds of a [`Frame`] count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum FrameMode {
    /// `ROWS`.
    Rows,
    /// `RANGE`.
    Range,
    /// `GROUPS`.
    Groups,
}

/// A bound of a [`Frame`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Bound {
    /// `UNBOUNDED PRECEDING`.
    UnboundedPreceding,
    /// `… PRECEDING`.
    Preceding(NodeId),
    /// `CURRENT ROW`.
    CurrentRow,
    /// `… FOLLOWING`.
    Following(NodeId),
    /// `UNBOUNDED FOLLOWING`.
    UnboundedFollowing,
}

/// The `EXCLUDE` of a [`Frame`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Exclude {
    /// `EXCLUDE NO OTHERS`.
    NoOthers,
    /// `EXCLUDE CURRENT ROW`.
    CurrentRow,
    /// `EXCLUDE GROUP`.
    Group,
    /// `EXCLUDE TIES`.
    Ties,
}

impl Window {
    pub(crate) fn visit_children(&mut self, visit: &mut dyn FnMut(&mut NodeId)) {
        self.partition_by.iter_mut().for_each(&mut *visit);
        self.order_by.iter_mut().for_each(|order| visit(&mut order.expression));
        if let Some(frame) = &mut self.frame {
            for bound in std::iter::once(&mut frame.start).chain(&mut frame.end) {
                if let Bound::Preceding(offset) | Bound::Following(offset) = bound {
                    visit(offset);
                }
            }
        }
    }
}
