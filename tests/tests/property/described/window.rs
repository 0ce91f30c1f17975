use callslip_ir::{Bound, Exclude, FrameMode, Window};

use super::{Tree, Writer};

// PostgreSQL's bits of a frame (parsenodes.h).
const NONDEFAULT: u32 = 0x1;
const RANGE: u32 = 0x2;
const ROWS: u32 = 0x4;
const GROUPS: u32 = 0x8;
const BETWEEN: u32 = 0x10;
const START_UNBOUNDED_PRECEDING: u32 = 0x20;
const START_UNBOUNDED_FOLLOWING: u32 = 0x80;
const START_CURRENT_ROW: u32 = 0x200;
const END_CURRENT_ROW: u32 = 0x400;
const START_OFFSET_PRECEDING: u32 = 0x800;
const START_OFFSET_FOLLOWING: u32 = 0x2000;
const EXCLUDE_CURRENT_ROW: u32 = 0x8000;
const EXCLUDE_GROUP: u32 = 0x10000;
const EXCLUDE_TIES: u32 = 0x20000;

impl Writer<'_> {
    /// A window of the WINDOW clause, or one after OVER, which has no name.
    pub(super) fn window(self, name: &str, window: &Window) -> Tree {
        let Window { base, partition_by, order_by, frame } = window;
        let base = base.as_deref().unwrap_or_default();
        let partition = Tree::new("partition by", self.expressions(partition_by));
        let order = self.orders("order by", order_by);
        let mut offsets = Vec::new();
        let bits = match frame {
            None => RANGE | START_UNBOUNDED_PRECEDING | END_CURRENT_ROW,
            Some(frame) => {
                let mode = match frame.mode {
                    FrameMode::Range => RANGE,
                    FrameMode::Rows => ROWS,
                    FrameMode::Groups => GROUPS,
                };
                let mut start_bit = |bound: &Bound| match bound {
                    Bound::UnboundedPreceding => START_UNBOUNDED_PRECEDING,
                    Bound::UnboundedFollowing => START_UNBOUNDED_FOLLOWING,
                    Bound::CurrentRow => START_CURRENT_ROW,
                    Bound::Preceding(offset) => {
                        offsets.push(self.expression(*offset));
                        START_OFFSET_PRECEDING
                    }
                    Bound::Following(offset) => {
                        offsets.push(self.expression(*offset));
                        START_OFFSET_FOLLOWING
                    }
                };
                let start = start_bit(&frame.start);
                // The bit of an end follows that of the same start.
                let end = frame.end.as_ref().map_or(END_CURRENT_ROW, |end| BETWEEN | start_bit(end) << 1);
                let exclude = match frame.exclude {
                    Exclude::NoOthers => 0,
                    Exclude::CurrentRow => EXCLUDE_CURRENT_ROW,
                    Exclude::Group => EXCLUDE_GROUP,
                    Exclude::Ties => EXCLUDE_TIES,
                };
                NONDEFAULT | mode | start | end | exclude
            }
        };
        let frame = Tree::new(format!("frame \"{bits:#x}\""), offsets);
        Tree::new(format!("window {name:?} {base:?}"), vec![partition, order, frame])
    }
}
