use std::ops::BitOr;

/// As many relations as a set has bits.
pub(super) const MOST_LEAVES: usize = 32;

/// A set of the relations of one SELECT, by their positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Leaves(u32);

impl Leaves {
    pub const NONE: Self = Self(0);

    pub fn one(leaf: usize) -> Self {
        Self(1 << leaf)
    }

    pub fn has(self, leaf: usize) -> bool {
        self.0 >> leaf & 1 == 1
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub fn is_within(self, other: Self) -> bool {
        self.without(other).is_empty()
    }

    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..MOST_LEAVES).filter(move |leaf| self.has(*leaf))
    }
}

impl BitOr for Leaves {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
