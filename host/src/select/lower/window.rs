use callslip_ir::{Bound, Exclude, Frame, FrameMode, NamedWindow, Window};
use sea_query::Expr;

use super::{Lowerer, fill, identifier, word};
use crate::select::dialect::template;

impl<'a> Lowerer<'a> {
    pub(super) fn window_clause(&mut self, windows: &'a [NamedWindow]) -> Expr {
        let named = |(name, window)| fill(template::WINDOW_NAMED, [name, window]);
        let windows: Vec<Expr> =
            windows.iter().map(|its| named((identifier(&its.name), self.window(&its.window)))).collect();
        fill(template::WINDOW, windows)
    }

    pub(super) fn window(&mut self, window: &'a Window) -> Expr {
        let mut parts: Vec<Expr> = window.base.iter().map(|base| identifier(base)).collect();
        if !window.partition_by.is_empty() {
            let expressions: Vec<Expr> =
                window.partition_by.iter().map(|&node| self.expression(node)).collect();
            parts.push(fill(template::PARTITION_BY, expressions));
        }
        if !window.order_by.is_empty() {
            let orders: Vec<Expr> = window.order_by.iter().map(|order| self.inner_order(order)).collect();
            parts.push(fill(template::ORDER_BY, orders));
        }
        if let Some(frame) = &window.frame {
            parts.push(self.frame(frame));
        }
        fill(template::SEQUENCE, parts)
    }

    fn frame(&mut self, frame: &'a Frame) -> Expr {
        let start = self.bound(&frame.start);
        let extent = match &frame.end {
            Some(end) => {
                let end = self.bound(end);
                fill(template::FRAME_BETWEEN, [start, end])
            }
            None => start,
        };
        let template = match frame.mode {
            FrameMode::Rows => template::FRAME_ROWS,
            FrameMode::Range => template::FRAME_RANGE,
            FrameMode::Groups => template::FRAME_GROUPS,
        };
        let lowered = fill(template, [extent]);
        match frame.exclude {
            Exclude::NoOthers => lowered,
            Exclude::CurrentRow => fill(template::EXCLUDE_CURRENT_ROW, [lowered]),
            Exclude::Group => fill(template::EXCLUDE_GROUP, [lowered]),
            Exclude::Ties => fill(template::EXCLUDE_TIES, [lowered]),
        }
    }

    fn bound(&mut self, bound: &Bound) -> Expr {
        match bound {
            Bound::UnboundedPreceding => word(template::UNBOUNDED_PRECEDING),
            Bound::Preceding(offset) => fill(template::PRECEDING, [self.expression(*offset)]),
            Bound::CurrentRow => word(template::CURRENT_ROW),
            Bound::Following(offset) => fill(template::FOLLOWING, [self.expression(*offset)]),
            Bound::UnboundedFollowing => word(template::UNBOUNDED_FOLLOWING),
        }
    }
}
