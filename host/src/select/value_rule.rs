/// What the value of a slot must be beside of its type, since PostgreSQL can't be interrupted in what is done with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ValueRule {
    /// The bytes that it may have, in PostgreSQL's text form.
    pub most_bytes: Option<usize>,
    /// Whether it is the format of `format`, which must not ask for a width: one of a gigabyte costs ten bytes.
    pub is_format: bool,
}

impl ValueRule {
    /// The rule that holds what both demand.
    pub(super) fn and(self, other: Self) -> Self {
        let most_bytes = match (self.most_bytes, other.most_bytes) {
            (Some(one), Some(another)) => Some(one.min(another)),
            (one, another) => one.or(another),
        };
        Self { most_bytes, is_format: self.is_format || other.is_format }
    }

    /// Checks a value in PostgreSQL's text form.
    ///
    /// # Errors
    /// What is wrong with it, as the rest of a sentence that begins with the value.
    pub fn check(&self, text: &str) -> Result<(), String> {
        if let Some(most) = self.most_bytes.filter(|most| text.len() > *most) {
            return Err(format!(
                "has {} bytes, and at most {most} where it is used: PostgreSQL can't be interrupted there",
                text.len()
            ));
        }
        match self.is_format && asks_for_width(text) {
            true => Err("is a format that asks for a width, as in %10s or %*s".to_owned()),
            false => Ok(()),
        }
    }
}

/// Whether one of its specifiers, `%[position$][flags][width]type`, has a width.
fn asks_for_width(format: &str) -> bool {
    let mut rest = format;
    while let Some((_, specifier)) = rest.split_once('%') {
        let after_digits = specifier.trim_start_matches(|c: char| c.is_ascii_digit());
        let after_position = match after_digits.strip_prefix('$') {
            Some(after) => after,
            None if after_digits.len() < specifier.len() => return true,
            None => specifier,
        };
        let after_flags = after_position.trim_start_matches('-');
        if after_flags.starts_with(|c: char| c == '*' || c.is_ascii_digit()) {
            return true;
        }
        let mut characters = after_flags.chars();
        characters.next();
        rest = characters.as_str();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_has_no_width() {
        let rule = ValueRule { most_bytes: None, is_format: true };
        for format in
            ["", "%s", "%s %I, %L", "%%", "100%% of %s", "%1$s %2$s", "%-s", "50 %% 5", "%%5s", "%", "%é5"]
        {
            assert_eq!(rule.check(format), Ok(()), "{format}");
        }
        for format in
            ["%5s", "%-5s", "%*s", "%1$5s", "%1$-5s", "%1$*s", "%*1$s", "%%%9s", "%s%99999999s", "%-*s"]
        {
            assert!(rule.check(format).is_err(), "{format}");
        }
    }

    #[test]
    fn the_stricter_of_two_rules_holds() {
        let bytes = |most| ValueRule { most_bytes: Some(most), is_format: false };
        let both = bytes(4).and(bytes(2)).and(ValueRule::default());
        assert_eq!(both, bytes(2));
        assert_eq!(both.check("ab"), Ok(()));
        assert!(both.check("é!").unwrap_err().starts_with("has 3 bytes, and at most 2 "));
    }
}
