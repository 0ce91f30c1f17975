//! The names of parameters, where the compiler looks at them.

/// The names of the parameters that a field declares: the field's own, with each of these after it.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct FieldNames {
    field: &'static str,
    suffixes: &'static [&'static str],
}

#[derive(Clone, Copy)]
struct Name<'a> {
    field: &'a [u8],
    suffix: &'a [u8],
}

impl FieldNames {
    /// Those of a field with this name, whose type puts these after it.
    pub const fn new(field: &'static str, suffixes: &'static [&'static str]) -> Self {
        Self { field, suffixes }
    }

    /// Each of them.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        self.suffixes.iter().map(|suffix| [self.field, suffix].concat())
    }

    const fn name(&self, index: usize) -> Name<'static> {
        Name { field: self.field.as_bytes(), suffix: self.suffixes[index].as_bytes() }
    }

    /// How many of them are this name.
    const fn count(&self, name: Name<'_>) -> usize {
        let (mut count, mut i) = (0, 0);
        while i < self.suffixes.len() {
            if self.name(i).equals(name) {
                count += 1;
            }
            i += 1;
        }
        count
    }
}

impl Name<'_> {
    const fn length(self) -> usize {
        self.field.len() + self.suffix.len()
    }

    const fn byte(self, at: usize) -> u8 {
        if at < self.field.len() { self.field[at] } else { self.suffix[at - self.field.len()] }
    }

    const fn equals(self, other: Name<'_>) -> bool {
        if self.length() != other.length() {
            return false;
        }
        let mut i = 0;
        while i < self.length() {
            if self.byte(i) != other.byte(i) {
                return false;
            }
            i += 1;
        }
        true
    }
}

const fn count(fields: &[FieldNames], name: Name<'_>) -> usize {
    let (mut total, mut i) = (0, 0);
    while i < fields.len() {
        total += fields[i].count(name);
        i += 1;
    }
    total
}

/// Whether one of the fields declares a parameter of this name.
#[doc(hidden)]
pub const fn contains(fields: &[FieldNames], name: &str) -> bool {
    count(fields, Name { field: name.as_bytes(), suffix: &[] }) > 0
}

/// Whether no two parameters of these fields have the same name.
#[doc(hidden)]
pub const fn are_distinct(fields: &[FieldNames]) -> bool {
    let mut i = 0;
    while i < fields.len() {
        let mut j = 0;
        while j < fields[i].suffixes.len() {
            if count(fields, fields[i].name(j)) > 1 {
                return false;
            }
            j += 1;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &[&str] = &[""];
    const PAGE: FieldNames = FieldNames::new("page", &["", "_size"]);

    #[test]
    fn a_name_may_come_in_two_parts() {
        let fields = [FieldNames::new("sort", ONE), PAGE];
        for name in ["sort", "page", "page_size"] {
            assert!(contains(&fields, name), "{name}");
        }
        for name in ["", "_size", "sort_size", "page_siz", "page_size_"] {
            assert!(!contains(&fields, name), "{name}");
        }
    }

    #[test]
    fn a_name_is_there_once() {
        assert!(are_distinct(&[]) && are_distinct(&[FieldNames::new("size", ONE), PAGE]));
        assert!(!are_distinct(&[FieldNames::new("page_size", ONE), PAGE]));
        assert!(!are_distinct(&[PAGE, FieldNames::new("page", ONE)]));
    }
}
