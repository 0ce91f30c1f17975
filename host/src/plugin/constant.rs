use callslip_ir::{Domain, Scalar};

use super::value::{Token, scalar};

/// Whether a text surely is a value of a domain as PostgreSQL reads it, under any settings and at any time. Of the others, most
/// may be as well.
pub(crate) fn is_surely_value(domain: &Domain, text: &str) -> bool {
    let is_known = match domain {
        Domain::Enum { .. } => true,
        Domain::Scalar(scalar) => match scalar {
            Scalar::Bool | Scalar::Int2 | Scalar::Int4 | Scalar::Int8 => true,
            Scalar::Text | Scalar::Uuid | Scalar::Bytes => true,
            // A power of ten can be what PostgreSQL has no room for.
            Scalar::Float4 | Scalar::Float8 | Scalar::Numeric => {
                text.len() <= 1000 && text.bytes().all(|byte| byte.is_ascii_digit() || b"-.".contains(&byte))
            }
            Scalar::Date | Scalar::Time | Scalar::Timestamp | Scalar::Timestamptz => is_usual_time(text),
            Scalar::Interval | Scalar::Json => false,
        },
        Domain::Sort { .. } | Domain::Named(_) | Domain::Cursor => false,
    };
    // What callers may write in more ways than one is read as one that PostgreSQL knows: that alone is meant here.
    is_known && scalar(domain, None, &Token::Text(text), text).is_ok_and(|read| read == text)
}

/// Whether a date or a time is of a year of four digits, and before the last hour and second that there may be.
fn is_usual_time(text: &str) -> bool {
    let is_late = text.contains("24:") || text.contains(":60");
    let year = text.find('-');
    !is_late && (year.is_none_or(|year| year <= 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surely(scalar: Scalar, text: &str) -> bool {
        is_surely_value(&Domain::Scalar(scalar), text)
    }

    #[test]
    fn what_postgresql_reads_for_sure() {
        for (scalar, texts) in [
            (Scalar::Bool, &["true", "false"][..]),
            (Scalar::Int2, &["0", "-32768", "32767"]),
            (Scalar::Int8, &["7", "-9223372036854775808"]),
            (Scalar::Float8, &["1.5", "-0.25"]),
            (Scalar::Numeric, &["12345678901234567890.000"]),
            (Scalar::Text, &["", "O'Hara"]),
            (Scalar::Date, &["2026-01-31"]),
            (Scalar::Time, &["23:59:59.5"]),
            (Scalar::Timestamp, &["2026-01-31 23:59:59"]),
            (Scalar::Timestamptz, &["2026-01-31 23:59:59+02", "2026-01-31 23:59:59-03:30"]),
            (Scalar::Uuid, &["00000000-0000-4000-8000-0000000000ff"]),
            (Scalar::Bytes, &["\\x00ff"]),
        ] {
            assert!(texts.iter().all(|text| surely(scalar, text)), "{scalar:?}");
        }
    }

    #[test]
    fn what_it_may_not_read_or_not_always() {
        for (scalar, texts) in [
            (Scalar::Bool, &["yes", "1", ""][..]),
            (Scalar::Int2, &["32768", "1.0", "", " 1", "007"]),
            (Scalar::Int8, &["9223372036854775808", "one"]),
            (Scalar::Float8, &["1e400", "1e5", ".", "one"]),
            (Scalar::Numeric, &["1e5", "0e-99999", "1.2.3"]),
            (Scalar::Text, &["a\0b"]),
            (Scalar::Date, &["2026-02-30", "today", "31.01.2026", "20260-01-01"]),
            (Scalar::Time, &["24:00:00.5", "now", "allballs"]),
            (Scalar::Timestamp, &["2026-01-31T23:59:59", "2026-01-31 23:59:60", "now"]),
            (Scalar::Timestamptz, &["2026-01-31 23:59:59", "2026-01-31 23:59:59 Europe/Berlin", "infinite"]),
            (Scalar::Interval, &["1 day"]),
            (Scalar::Uuid, &["00000000-0000-4000-8000-0000000000f"]),
            (Scalar::Bytes, &["\\x0", "AAAA"]),
            (Scalar::Json, &["{}"]),
        ] {
            assert!(!texts.iter().any(|text| surely(scalar, text)), "{scalar:?}");
        }
    }

    #[test]
    fn a_label_of_an_enum() {
        let labels = ["open", "done"].map(str::to_owned).to_vec();
        let status = Domain::Enum { labels, ty: None };
        assert!(is_surely_value(&status, "done"));
        assert!(!is_surely_value(&status, "Done"));
    }
}
