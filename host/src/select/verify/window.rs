use callslip_ir::{Bound, Frame, FrameMode, NamedWindow, NodeId, Window};

use super::Verifier;
use super::placement::Clause;
use crate::Code;
use crate::catalog::Oid;
use crate::nearest::nearest;
use crate::select::Finding;
use crate::select::scope::Scope;
use crate::select::signature::Operand;

/// A window of a WINDOW clause, as far as one that starts from it has to know it.
#[derive(Clone, Copy, Debug)]
pub(super) struct DeclaredWindow<'a> {
    name: &'a str,
    order: SortKeys,
    framed: bool,
}

/// The items of a window's ORDER BY, those of the window that it starts from included.
#[derive(Clone, Copy, Debug)]
struct SortKeys {
    count: usize,
    /// The type of the first, where it was inferred.
    first: Option<Oid>,
}

impl<'a> Verifier<'a> {
    /// The windows of a WINDOW clause, each of which may start from one before it.
    pub(super) fn window_clause(
        &mut self,
        node: NodeId,
        windows: &'a [NamedWindow],
        scope: &Scope<'_>,
    ) -> Vec<DeclaredWindow<'a>> {
        let mut declared: Vec<DeclaredWindow<'a>> = Vec::with_capacity(windows.len());
        for named in windows {
            self.check_name(node, "name of a window", &named.name);
            if declared.iter().any(|earlier| earlier.name == named.name) {
                self.report(node, Code::DuplicateAlias, format!("two windows are named \"{}\"", named.name));
            }
            let order = self.window(node, &named.window, &declared, scope);
            declared.push(DeclaredWindow { name: &named.name, order, framed: named.window.frame.is_some() });
        }
        declared
    }

    /// `OVER (window)`.
    pub(super) fn window_of_call(&mut self, node: NodeId, window: &'a Window, scope: &Scope<'_>) {
        // Calls in the window's own expressions see no window.
        let declared = self.windows.last_mut().map(std::mem::take).unwrap_or_default();
        self.window(node, window, &declared, scope);
        if let Some(windows) = self.windows.last_mut() {
            *windows = declared;
        }
    }

    /// `OVER name`.
    pub(super) fn named_window(&mut self, node: NodeId, name: &str) {
        let windows = self.windows.last().map_or(&[][..], Vec::as_slice);
        if !windows.iter().any(|window| window.name == name) {
            let finding = unknown(name, windows);
            self.find(node, finding);
        }
    }

    fn window(
        &mut self,
        node: NodeId,
        window: &'a Window,
        declared: &[DeclaredWindow<'a>],
        scope: &Scope<'_>,
    ) -> SortKeys {
        let base = window.base.as_deref().and_then(|base| self.base(node, window, base, declared));
        let around = self.enter(Clause::Window);
        for &expression in &window.partition_by {
            self.value(expression, scope);
        }
        let mut order = base.map_or(SortKeys { count: 0, first: None }, |base| base.order);
        for (index, item) in window.order_by.iter().enumerate() {
            let ty = self.order(item, scope);
            if index == 0 {
                order = SortKeys { count: window.order_by.len(), first: ty };
            }
        }
        if let Some(frame) = &window.frame {
            self.enter(Clause::Frame);
            self.frame(node, frame, order, scope);
        }
        self.enter(around);
        order
    }

    /// The window that another one starts from.
    fn base(
        &mut self,
        node: NodeId,
        window: &Window,
        base: &str,
        declared: &[DeclaredWindow<'a>],
    ) -> Option<DeclaredWindow<'a>> {
        let Some(found) = declared.iter().find(|window| window.name == base) else {
            let finding = unknown(base, declared);
            self.find(node, finding);
            return None;
        };
        if found.framed {
            let message =
                format!("a window can't start from \"{base}\", since that has a frame; use it as it is");
            self.report(node, Code::InvalidStructure, message);
        }
        if !window.partition_by.is_empty() {
            let message = format!("a window that starts from \"{base}\" has its PARTITION BY, and no other");
            self.report(node, Code::InvalidStructure, message);
        }
        if !window.order_by.is_empty() && found.order.count > 0 {
            let message = format!("a window that starts from \"{base}\" has its ORDER BY, and no other");
            self.report(node, Code::InvalidStructure, message);
        }
        Some(*found)
    }

    fn frame(&mut self, node: NodeId, frame: &'a Frame, order: SortKeys, scope: &Scope<'_>) {
        if let Some(wrong) = wrong_bounds(frame) {
            self.report(node, Code::InvalidStructure, wrong);
        }
        let has_offset = std::iter::once(&frame.start)
            .chain(&frame.end)
            .any(|bound| matches!(bound, Bound::Preceding(_) | Bound::Following(_)));
        match frame.mode {
            FrameMode::Range if has_offset && order.count != 1 => {
                let message = "RANGE with a distance needs an ORDER BY of one item";
                self.report(node, Code::InvalidStructure, message);
            }
            FrameMode::Groups if order.count == 0 => {
                self.report(node, Code::InvalidStructure, "GROUPS needs an ORDER BY in the window");
            }
            _ => {}
        }
        // Of RANGE the sort key tells to which of several types a distance is converted.
        let (ty, converted_to) = match frame.mode {
            FrameMode::Range => (self.range_offset(order.first), None),
            FrameMode::Rows | FrameMode::Groups => (self.builtin("int8"), self.builtin("int8")),
        };
        // A distance is one for all rows: it sees no relation of its own query.
        let scope = Scope { relations: &[], outer: scope.outer };
        for bound in std::iter::once(&frame.start).chain(&frame.end) {
            if let Bound::Preceding(offset) | Bound::Following(offset) = bound {
                match self.expression(*offset, &scope) {
                    Operand::Untyped => self.settle(*offset, ty),
                    operand => self.coerced(*offset, operand, converted_to),
                }
            }
        }
    }

    /// The type of a distance from a sort key, which an `in_range` function adds to it: an interval to a time, and a
    /// number to a number. Only a superuser can define one for another type.
    fn range_offset(&self, key: Option<Oid>) -> Option<Oid> {
        let key = self.context.catalog.type_by_oid(self.context.catalog.base_type(key?))?;
        match (key.category, key.name.as_str()) {
            ('D', _) => self.builtin("interval"),
            (_, "float4") => self.builtin("float8"),
            _ => Some(key.oid),
        }
    }
}

/// What is wrong with the bounds of a frame, in PostgreSQL's words.
fn wrong_bounds(frame: &Frame) -> Option<&'static str> {
    match (&frame.start, frame.end.as_ref().unwrap_or(&Bound::CurrentRow)) {
        (Bound::UnboundedFollowing, _) => Some("frame start cannot be UNBOUNDED FOLLOWING"),
        (_, Bound::UnboundedPreceding) => Some("frame end cannot be UNBOUNDED PRECEDING"),
        (Bound::CurrentRow, Bound::Preceding(_)) => {
            Some("frame starting from current row cannot have preceding rows")
        }
        (Bound::Following(_), Bound::Preceding(_)) => {
            Some("frame starting from following row cannot have preceding rows")
        }
        (Bound::Following(_), Bound::CurrentRow) => {
            Some("frame starting from following row cannot end with current row")
        }
        _ => None,
    }
}

fn unknown(name: &str, windows: &[DeclaredWindow<'_>]) -> Finding {
    let finding = Finding::new(Code::UnknownWindow, format!("no window is named \"{name}\""));
    finding.with_help(match nearest(name, windows.iter().map(|window| window.name)) {
        Some(nearest) => format!("did you mean \"{nearest}\"?"),
        None => "declare it with .window(\"…\", …) on the same select, before what uses it".to_owned(),
    })
}
