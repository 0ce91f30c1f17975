use std::cmp::Ordering;

/// A decimal number of any length, for exact comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    negative: bool,
    /// The digits without zeros at either end; empty for zero.
    digits: String,
    /// The value is `0.digits` times ten to the power of this.
    exponent: i64,
}

impl Decimal {
    /// Reads `-12.50`, `.5`, `1e-3`; not `NaN` or `Infinity`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, power) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, power.parse::<i32>().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = || whole.bytes().chain(fraction.bytes());
        if digits().next().is_none() || !digits().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let all: String = digits().map(char::from).collect();
        let leading = all.len() - all.trim_start_matches('0').len();
        let digits = all.trim_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Self { negative: false, digits, exponent: 0 });
        }
        Some(Self { negative, digits, exponent: i64::from(power) + whole.len() as i64 - leading as i64 })
    }

    pub(super) fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// Whether it has no fraction.
    pub(super) fn is_whole(&self) -> bool {
        self.digits.len() as i64 <= self.exponent || self.is_zero()
    }

    /// Whether PostgreSQL's `numeric` can hold it.
    pub(super) fn fits_numeric(&self) -> bool {
        self.exponent <= 131_072 && self.digits.len() as i64 - self.exponent <= 16_383
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.is_zero(), other.is_zero()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return if other.negative { Ordering::Greater } else { Ordering::Less },
            (false, true) => return if self.negative { Ordering::Less } else { Ordering::Greater },
            (false, false) => {}
        }
        let magnitude = self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits));
        match (self.negative, other.negative) {
            (false, false) => magnitude,
            (true, true) => magnitude.reverse(),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text} is a number"))
    }

    #[test]
    fn compares_exactly() {
        let ascending = [
            "-1e400",
            "-100",
            "-99.99",
            "-0.5",
            "-0.05",
            "0",
            "1e-400",
            "0.001",
            "0.1",
            "0.10000000000000000000001",
            "1",
            "9",
            "10",
            "99999999999999999999998",
            "99999999999999999999999",
            "1e23",
        ];
        for (index, smaller) in ascending.iter().enumerate() {
            for larger in &ascending[index + 1..] {
                assert!(decimal(smaller) < decimal(larger), "{smaller} < {larger}");
                assert!(decimal(larger) > decimal(smaller), "{larger} > {smaller}");
            }
        }
        for (a, b) in
            [("0", "-0.00"), ("10", "1e1"), ("0.5", ".50"), ("100", "1.00e2"), ("007", "7"), ("5.", "5")]
        {
            assert_eq!(decimal(a).cmp(&decimal(b)), Ordering::Equal, "{a} = {b}");
        }
    }

    #[test]
    fn refuses_what_is_no_number() {
        for text in [
            "",
            "-",
            ".",
            "e5",
            "1e",
            "1e5.0",
            "0x10",
            "1 2",
            "1_000",
            "NaN",
            "Infinity",
            "--1",
            "1e99999999999",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn knows_whole_numbers_and_what_numeric_holds() {
        assert!(["0", "10", "1.0", "1e3", "12.50e1"].iter().all(|text| decimal(text).is_whole()));
        assert!(["0.1", "12.5", "1e-1"].iter().all(|text| !decimal(text).is_whole()));
        assert!(["1e131071", "1e-16383", "0"].iter().all(|text| decimal(text).fits_numeric()));
        assert!(["1e131072", "1e-16384"].iter().all(|text| !decimal(text).fits_numeric()));
    }
}
