//! What the control flow of a function tells of its cost: to compile, and to stop.

use wasmparser::Operator;

/// The longest stretch of a function that runs without a look at its deadline, which is at its beginning, and at that of each
/// loop. A function that is called looks too; but when it returns, what comes after the call is run without one, once for
/// each call on the stack. So the longest stretch, times the calls that fit the stack, bounds how late a deadline is seen.
#[derive(Default)]
pub(super) struct Stretch {
    now: usize,
    longest: usize,
    blocks: Vec<Block>,
}

#[derive(Default)]
struct Block {
    is_loop: bool,
    /// The longest stretch at a branch to its end.
    at_end: usize,
    /// The stretch at an `if` whose `else` has not come yet.
    at_else: usize,
}

impl Stretch {
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    pub(super) fn add(&mut self, operator: &Operator<'_>) {
        self.now += cost(operator);
        self.longest = self.longest.max(self.now);
        match operator {
            Operator::Block { .. } => self.blocks.push(Block::default()),
            Operator::Loop { .. } => {
                self.now = 0;
                self.blocks.push(Block { is_loop: true, ..Block::default() });
            }
            Operator::If { .. } => self.blocks.push(Block { at_else: self.now, ..Block::default() }),
            Operator::Else => {
                if let Some(block) = self.blocks.last_mut() {
                    block.at_end = block.at_end.max(self.now);
                    self.now = std::mem::take(&mut block.at_else);
                }
            }
            Operator::End => {
                if let Some(block) = self.blocks.pop() {
                    self.now = self.now.max(block.at_end).max(block.at_else);
                }
            }
            Operator::Br { relative_depth } => {
                self.branch(*relative_depth);
                self.now = 0;
            }
            Operator::BrIf { relative_depth } => self.branch(*relative_depth),
            Operator::BrTable { targets } => {
                // What can't be read, the validation has refused.
                for depth in targets.targets().flatten().chain([targets.default()]) {
                    self.branch(depth);
                }
                self.now = 0;
            }
            Operator::Return
            | Operator::Unreachable
            | Operator::Call { .. }
            | Operator::CallIndirect { .. } => {
                self.now = 0;
            }
            _ => {}
        }
    }

    fn branch(&mut self, depth: u32) {
        let at = self.blocks.len().checked_sub(1 + depth as usize);
        if let Some(block) = at.and_then(|at| self.blocks.get_mut(at))
            && !block.is_loop
        {
            block.at_end = block.at_end.max(self.now);
        }
    }
}

/// About the nanoseconds that an instruction takes, on a slow machine.
fn cost(operator: &Operator<'_>) -> usize {
    match operator {
        Operator::I32DivS
        | Operator::I32DivU
        | Operator::I32RemS
        | Operator::I32RemU
        | Operator::I64DivS
        | Operator::I64DivU
        | Operator::I64RemS
        | Operator::I64RemU
        | Operator::F32Div
        | Operator::F64Div
        | Operator::F32Sqrt
        | Operator::F64Sqrt => 10,
        operator if calls_the_host(operator) => 100,
        _ => 1,
    }
}

/// In how many ways control flow parts or meets here, or leaves for a call, across which all that is live must be kept.
pub(super) fn edges(operator: &Operator<'_>) -> usize {
    if let Operator::BrTable { targets } = operator {
        return targets.len() as usize + 1;
    }
    let is_edge = matches!(
        operator,
        Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Else
            | Operator::End
            | Operator::Br { .. }
            | Operator::BrIf { .. }
            | Operator::Return
            | Operator::Call { .. }
            | Operator::CallIndirect { .. }
    );
    usize::from(is_edge || calls_the_host(operator))
}

/// Whether it is carried out by a function of the host's.
fn calls_the_host(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::MemoryGrow { .. }
            | Operator::MemoryCopy { .. }
            | Operator::MemoryFill { .. }
            | Operator::MemoryInit { .. }
            | Operator::DataDrop { .. }
            | Operator::TableGet { .. }
            | Operator::TableSet { .. }
            | Operator::TableGrow { .. }
            | Operator::TableCopy { .. }
            | Operator::TableFill { .. }
            | Operator::TableInit { .. }
            | Operator::ElemDrop { .. }
            | Operator::RefFunc { .. }
    )
}
