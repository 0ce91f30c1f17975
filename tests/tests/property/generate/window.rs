use callslip_ir::{Bound, Exclude, Frame, FrameMode, NamedWindow, NodeId, Order, Window};

use super::{Generator, Place, Ty, scope};

impl Generator<'_> {
    /// A window, on top of another one or not; and whether it has an order.
    pub(super) fn window(
        &mut self,
        place: Place<'_>,
        base: Option<String>,
        base_ordered: bool,
    ) -> (Window, bool) {
        let partitions = if base.is_none() { self.choices.below(3) } else { 0 };
        let mut partition_by = Vec::new();
        for _ in 0..partitions {
            let ty = self.choices.of(Ty::COMPARABLE);
            partition_by.push(self.expression(ty, place));
        }
        let mut order_by: Vec<Order> = Vec::new();
        let mut key = None;
        if !base_ordered {
            for index in 0..self.choices.below(3) {
                let ty = self.choices.of(Ty::COMPARABLE);
                key = (index == 0).then_some(ty);
                let by = self.expression(ty, place);
                order_by.push(self.order(by));
            }
        }
        let ordered = base_ordered || !order_by.is_empty();
        let frame = self.choices.chance(50).then(|| self.frame(ordered, key));
        (Window { base, partition_by, order_by, frame }, ordered)
    }

    /// A frame that PostgreSQL allows with an order, of which `key` is the type of the only key.
    fn frame(&mut self, ordered: bool, key: Option<Ty>) -> Frame {
        let mode = match self.choices.below(3) {
            0 => FrameMode::Range,
            1 if ordered => FrameMode::Groups,
            _ => FrameMode::Rows,
        };
        let offset = match mode {
            FrameMode::Rows | FrameMode::Groups => Some(Ty::Int8),
            FrameMode::Range => match key {
                Some(Ty::Date | Ty::Timestamptz | Ty::Interval) => Some(Ty::Interval),
                Some(key @ (Ty::Int4 | Ty::Int8 | Ty::Numeric | Ty::Float8)) => Some(key),
                _ => None,
            },
        };
        // From here to there in the order in which a start must stand before its end.
        let (start, end) = match self.choices.below(8) {
            0 => (Edge::First, Some(Edge::Last)),
            1 => (Edge::First, None),
            2 => (Edge::Current, Some(Edge::Current)),
            3 => (Edge::Before, Some(Edge::After)),
            4 => (Edge::Before, None),
            5 => (Edge::After, Some(Edge::After)),
            6 => (Edge::Before, Some(Edge::Before)),
            _ => (Edge::Current, Some(Edge::After)),
        };
        let start = self.bound(start, offset, Bound::UnboundedPreceding);
        let end = end.map(|end| self.bound(end, offset, Bound::UnboundedFollowing));
        let exclude =
            self.choices.of(&[Exclude::NoOthers, Exclude::CurrentRow, Exclude::Group, Exclude::Ties]);
        Frame { mode, start, end, exclude }
    }

    fn bound(&mut self, edge: Edge, offset: Option<Ty>, otherwise: Bound) -> Bound {
        match (edge, offset) {
            (Edge::First, _) => Bound::UnboundedPreceding,
            (Edge::Last, _) => Bound::UnboundedFollowing,
            (Edge::Current, _) => Bound::CurrentRow,
            (Edge::Before, Some(ty)) => Bound::Preceding(self.offset(ty)),
            (Edge::After, Some(ty)) => Bound::Following(self.offset(ty)),
            (Edge::Before | Edge::After, None) => otherwise,
        }
    }

    fn offset(&mut self, ty: Ty) -> NodeId {
        match ty {
            Ty::Int8 => self.count(),
            _ if self.choices.chance(30) => self.context(),
            _ => self.parameter(ty),
        }
    }

    /// The windows of a WINDOW clause.
    pub(super) fn window_clause(&mut self, place: Place<'_>) -> (Vec<NamedWindow>, Vec<scope::Window>) {
        let (mut named, mut windows) = (Vec::new(), Vec::new());
        for name in self.names(2) {
            // One may start from an earlier one that has no frame.
            let bases: Vec<scope::Window> =
                windows.iter().filter(|its: &&scope::Window| !its.framed).cloned().collect();
            let base = if !bases.is_empty() && self.choices.chance(50) { bases.first() } else { None };
            let base_name = base.map(|base| base.name.clone());
            let (window, ordered) = self.window(place, base_name, base.is_some_and(|base| base.ordered));
            windows.push(scope::Window { name: name.clone(), ordered, framed: window.frame.is_some() });
            named.push(NamedWindow { name, window });
        }
        (named, windows)
    }
}

#[derive(Clone, Copy)]
enum Edge {
    First,
    Before,
    Current,
    After,
    Last,
}
