//! Dates and times. PostgreSQL's own input functions have the last word; what is refused here is nonsense, and what
//! would depend on a session's settings or on the clock (`DateStyle`, `TimeZone`, `now`).

/// `2026-01-31`, `infinity`.
pub(super) fn date(text: &str) -> Option<String> {
    (is_infinity(text) || is_date(text)).then(|| text.to_owned())
}

/// `23:59`, `23:59:59.999`.
pub(super) fn time(text: &str) -> Option<String> {
    is_time(text).then(|| text.to_owned())
}

/// `2026-01-31 23:59:59`, with a `T` or a space; a date alone is its midnight. A zone is refused, since PostgreSQL
/// would ignore it.
pub(super) fn timestamp(text: &str) -> Option<String> {
    if is_infinity(text) || is_date(text) {
        return Some(text.to_owned());
    }
    let (date, time) = split(text)?;
    (is_date(date) && is_time(time)).then(|| format!("{date} {time}"))
}

/// The same with a zone, `Z`, `+02`, `+0200` or `+02:00`; without one it is UTC.
pub(super) fn timestamptz(text: &str) -> Option<String> {
    if is_infinity(text) {
        return Some(text.to_owned());
    }
    if is_date(text) {
        return Some(format!("{text} 00:00+00"));
    }
    let (date, time) = split(text)?;
    let (time, zone) = match time.find(['Z', 'z', '+', '-']) {
        Some(at) => time.split_at(at),
        None => (time, "+00"),
    };
    let zone = if zone.eq_ignore_ascii_case("z") { "+00" } else { zone };
    (is_date(date) && is_time(time) && is_zone(zone)).then(|| format!("{date} {time}{zone}"))
}

/// ISO 8601's `P1DT2H` and PostgreSQL's `1 day 02:00`.
pub(super) fn interval(text: &str) -> Option<String> {
    let shaped = text.len() <= 100
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b" :.,+-".contains(&b));
    shaped.then(|| text.to_owned())
}

fn is_infinity(text: &str) -> bool {
    matches!(text, "infinity" | "-infinity")
}

fn split(text: &str) -> Option<(&str, &str)> {
    text.split_once(['T', 't', ' '])
}

fn number(text: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let digits = lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let (Some(year), Some(month), Some(day), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let (Some(year), Some(month), Some(day)) =
        (number(year, 4..=7), number(month, 2..=2), number(day, 2..=2))
    else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return false,
    };
    year >= 1 && (1..=days).contains(&day)
}

fn is_time(text: &str) -> bool {
    let mut parts = text.split(':');
    let (Some(hour), Some(minute)) = (parts.next(), parts.next()) else { return false };
    let seconds = parts.next().unwrap_or("00");
    let (second, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let (Some(hour), Some(minute), Some(second)) =
        (number(hour, 2..=2), number(minute, 2..=2), number(second, 2..=2))
    else {
        return false;
    };
    let fraction = (1..=9).contains(&fraction.len()) && fraction.bytes().all(|b| b.is_ascii_digit());
    let midnight = hour == 24 && minute == 0 && second == 0;
    parts.next().is_none() && fraction && minute < 60 && second <= 60 && (hour < 24 || midnight)
}

fn is_zone(text: &str) -> bool {
    let Some(offset) = text.strip_prefix(['+', '-']) else { return false };
    let (hours, minutes) = match offset.len() {
        2 => (offset, "00"),
        4 => match offset.split_at_checked(2) {
            Some(parts) => parts,
            None => return false,
        },
        _ => match offset.split_once(':') {
            Some(parts) => parts,
            None => return false,
        },
    };
    number(hours, 2..=2).is_some_and(|hours| hours <= 15)
        && number(minutes, 2..=2).is_some_and(|minutes| minutes < 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for text in
            ["2026-01-31", "2024-02-29", "2000-02-29", "0001-01-01", "5874897-12-31", "infinity", "-infinity"]
        {
            assert_eq!(date(text).as_deref(), Some(text));
        }
        for text in [
            "",
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-1-1",
            "26-01-01",
            "01/02/2026",
            "today",
            "now",
            "0000-01-01",
            "2026-01-01-01",
            "2026-01-32",
            "２０２６-01-01",
            "2026-01-01 ",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn times() {
        for text in ["00:00", "23:59:59", "23:59:59.123456", "24:00:00", "23:59:60"] {
            assert_eq!(time(text).as_deref(), Some(text));
        }
        for text in [
            "",
            "1:00",
            "24:00:01",
            "12:60",
            "12:00:61",
            "12:00:00.",
            "12",
            "12:00:00:00",
            "noon",
            "12:00+02",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn timestamps() {
        assert_eq!(timestamp("2026-01-31T12:00:00").as_deref(), Some("2026-01-31 12:00:00"));
        assert_eq!(timestamp("2026-01-31").as_deref(), Some("2026-01-31"));
        for text in ["2026-01-31T12:00Z", "2026-01-31 12:00+02", "12:00", "now", "2026-01-31T"] {
            assert_eq!(timestamp(text), None, "{text}");
        }
    }

    #[test]
    fn a_timestamptz_does_not_depend_on_the_session() {
        for (text, expected) in [
            ("2026-01-31T12:00:00Z", "2026-01-31 12:00:00+00"),
            ("2026-01-31 12:00:00.5", "2026-01-31 12:00:00.5+00"),
            ("2026-01-31", "2026-01-31 00:00+00"),
            ("2026-01-31T12:00+02:00", "2026-01-31 12:00+02:00"),
            ("2026-01-31T12:00-0330", "2026-01-31 12:00-0330"),
            ("infinity", "infinity"),
        ] {
            assert_eq!(timestamptz(text).as_deref(), Some(expected));
        }
        for text in [
            "2026-01-31T12:00 Europe/Berlin",
            "2026-01-31T12:00+2",
            "2026-01-31T12:00+16",
            "now",
            "",
            "2026-01-31T12:00 02:00",
            "2026-01-31T12:00+éa",
        ] {
            assert_eq!(timestamptz(text), None, "{text}");
        }
    }

    #[test]
    fn intervals() {
        for text in ["1 day", "P1DT2H", "-3 mons 04:05:06.7", "1 day, 2 hours"] {
            assert_eq!(interval(text).as_deref(), Some(text));
        }
        for text in ["", "day", "1 day'; DROP", &"1 day ".repeat(20)] {
            assert_eq!(interval(text), None, "{text}");
        }
    }
}
