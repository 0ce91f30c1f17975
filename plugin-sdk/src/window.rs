use callslip_ir::{self as ir, FrameMode};

use crate::{Exclude, Expressions, IntoExpr, Orders};

/// A window: which rows a window function looks at. Begin with [`window`].
///
/// ```
/// # use callslip_sdk::prelude::*;
/// # let r = table("rating");
/// let w = window().partition_by(r.col("reviewer_id")).order_by(r.col("created_at")).rows(preceding(9), CURRENT_ROW);
/// let moving_average = avg(r.col("score")).over(w);
/// ```
#[derive(Clone)]
#[must_use = "a window does nothing until `.over(…)` or `Select::window` takes it"]
pub struct Window(ir::Window);

/// `()`: the whole result as one window, until more is said.
pub fn window() -> Window {
    Window(ir::Window { base: None, partition_by: Vec::new(), order_by: Vec::new(), frame: None })
}

impl Window {
    /// `(name …)`: starts from a window that [`crate::Select::window`] declares.
    pub fn base(mut self, name: &str) -> Self {
        self.0.base = Some(name.to_owned());
        self
    }

    /// `PARTITION BY expressions`. Several calls add up.
    #[track_caller]
    pub fn partition_by(mut self, expressions: impl Expressions) -> Self {
        self.0.partition_by.extend(expressions.into_expressions());
        self
    }

    /// `ORDER BY items`. Several calls add up.
    #[track_caller]
    pub fn order_by(mut self, items: impl Orders) -> Self {
        self.0.order_by.extend(items.into_orders().into_iter().map(crate::Order::into_ir));
        self
    }

    /// `ROWS BETWEEN start AND end`: the bounds count rows.
    pub fn rows(self, start: Bound, end: Bound) -> Self {
        self.frame(FrameMode::Rows, start, end)
    }

    /// `RANGE BETWEEN start AND end`: the bounds are distances from the value that the window is ordered by.
    pub fn range(self, start: Bound, end: Bound) -> Self {
        self.frame(FrameMode::Range, start, end)
    }

    /// `GROUPS BETWEEN start AND end`: the bounds count groups of rows that are equal in ORDER BY.
    pub fn groups(self, start: Bound, end: Bound) -> Self {
        self.frame(FrameMode::Groups, start, end)
    }

    /// `EXCLUDE …`: which rows around the current one are left out of the frame.
    ///
    /// # Panics
    /// If there is no frame before it.
    #[track_caller]
    pub fn exclude(mut self, exclude: Exclude) -> Self {
        let Some(frame) = &mut self.0.frame else {
            panic!("EXCLUDE needs a frame: call `.rows(…)`, `.range(…)` or `.groups(…)` before it");
        };
        frame.exclude = exclude;
        self
    }

    fn frame(mut self, mode: FrameMode, start: Bound, end: Bound) -> Self {
        let exclude = Exclude::NoOthers;
        self.0.frame = Some(ir::Frame { mode, start: start.0, end: Some(end.0), exclude });
        self
    }

    pub(crate) fn into_ir(self) -> ir::Window {
        self.0
    }
}

/// Where a frame starts or ends.
#[derive(Clone, Copy)]
pub struct Bound(ir::Bound);

/// `UNBOUNDED PRECEDING`: from the first row of the partition.
pub const UNBOUNDED_PRECEDING: Bound = Bound(ir::Bound::UnboundedPreceding);
/// `CURRENT ROW`.
pub const CURRENT_ROW: Bound = Bound(ir::Bound::CurrentRow);
/// `UNBOUNDED FOLLOWING`: to the last row of the partition.
pub const UNBOUNDED_FOLLOWING: Bound = Bound(ir::Bound::UnboundedFollowing);

/// `distance PRECEDING`: before the current row.
#[track_caller]
pub fn preceding(distance: impl IntoExpr) -> Bound {
    Bound(ir::Bound::Preceding(distance.into_expr().id))
}

/// `distance FOLLOWING`: after the current row.
#[track_caller]
pub fn following(distance: impl IntoExpr) -> Bound {
    Bound(ir::Bound::Following(distance.into_expr().id))
}

/// What `.over(…)` takes: a [`Window`], or the name of one.
pub struct Over(ir::Over);

impl Over {
    pub(crate) fn into_ir(self) -> ir::Over {
        self.0
    }
}

impl From<Window> for Over {
    fn from(window: Window) -> Self {
        Self(ir::Over::Window(window.0))
    }
}

impl From<&Window> for Over {
    fn from(window: &Window) -> Self {
        window.clone().into()
    }
}

impl From<&str> for Over {
    fn from(name: &str) -> Self {
        Self(ir::Over::Named(name.to_owned()))
    }
}
