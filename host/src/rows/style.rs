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

impl Style {
    /// Every style, by its number.
    pub const ALL: [Self; 4] = [
        Self { numbers: Numbers::AsNumbers, one_line: false },
        Self { numbers: Numbers::AsNumbers, one_line: true },
        Self { numbers: Numbers::AsStrings, one_line: false },
        Self { numbers: Numbers::AsStrings, one_line: true },
    ];

    /// Its number.
    pub fn number(self) -> usize {
        2 * usize::from(self.numbers == Numbers::AsStrings) + usize::from(self.one_line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_style_is_where_its_number_says() {
        assert_eq!(Style::ALL.map(Style::number), [0, 1, 2, 3]);
    }
}
