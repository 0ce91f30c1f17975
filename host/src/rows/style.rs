/// How numbers are written that a reader of JSON may not keep exactly: those of the types `int8` and `numeric`, where JSON's
/// readers often have a double-precision number for everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Numbers {
    /// As numbers, with all their digits.
    #[default]
    AsNumbers,
    /// As strings of the same digits.
    AsStrings,
}

/// How values are written, but for what their type says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Style {
    pub numbers: Numbers,
    /// Whether a value may not have line breaks.
    pub one_line: bool,
}
