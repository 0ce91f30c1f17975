use axum::http::{HeaderMap, HeaderName, header};

/// One of the alternatives of `Accept` or `Accept-Encoding`, with how much it is wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Alternative<'a> {
    /// `text/csv`, `*/*`, `gzip`; in lower case.
    pub name: String,
    /// Its parameters but for `q`, with their names in lower case.
    pub parameters: Vec<(String, &'a str)>,
    /// From 0, not at all, to 1,000.
    pub quality: u16,
}

/// The alternatives of a header, in the order of the request; none, if it has no such header. What is malformed is left out.
pub(super) fn alternatives<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Vec<Alternative<'a>>> {
    let values = headers.get_all(name);
    values.iter().next()?;
    let texts = values.iter().filter_map(|value| value.to_str().ok());
    Some(texts.flat_map(|text| split(text, ',')).filter_map(alternative).collect())
}

/// How much `gzip` is wanted, if it is wanted at least as much as no encoding.
pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    let alternatives = alternatives(headers, &header::ACCEPT_ENCODING).unwrap_or_default();
    let quality = |names: &[&str]| {
        let named = alternatives.iter().find(|its| names.contains(&its.name.as_str()));
        named.or_else(|| alternatives.iter().find(|its| its.name == "*")).map(|its| its.quality)
    };
    let gzip = quality(&["gzip", "x-gzip"]).unwrap_or(0);
    let identity = alternatives.iter().find(|its| its.name == "identity").map_or(0, |its| its.quality);
    gzip > 0 && gzip >= identity
}

fn alternative(text: &str) -> Option<Alternative<'_>> {
    let mut parts = split(text, ';');
    let name = parts.next()?.trim().to_ascii_lowercase();
    let mut found = Alternative { name, parameters: Vec::new(), quality: 1000 };
    for part in parts.map(str::trim).filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=')?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"'));
        match name.as_str() {
            "q" => found.quality = quality(value)?,
            _ => found.parameters.push((name, value)),
        }
    }
    (!found.name.is_empty()).then_some(found)
}

/// `0.25` as thousandths. Java's own client writes `.2`.
fn quality(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let thousandths = fraction.bytes().chain(std::iter::repeat(b'0')).take(3);
    let thousandths = thousandths.fold(0, |sum, digit| sum * 10 + u16::from(digit.wrapping_sub(b'0')));
    let are_digits = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    match whole {
        "0" if are_digits => Some(thousandths),
        "" if are_digits && !fraction.is_empty() => Some(thousandths),
        "1" if are_digits && thousandths == 0 => Some(1000),
        _ => None,
    }
}

/// The parts between separators that are in no quoted string.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |character| {
        quoted ^= character == '"';
        character == separator && !quoted
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(name: HeaderName, values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn an_alternative_has_parameters_and_a_quality() {
        let headers =
            headers(header::ACCEPT, &["Text/CSV;Header=\"a,b;c\" ;q=0.5, */*;q=0", "a/b;q=2, c/d;x, e/f"]);
        let found = alternatives(&headers, &header::ACCEPT).unwrap();
        let names: Vec<_> = found.iter().map(|its| (its.name.as_str(), its.quality)).collect();
        assert_eq!(names, [("text/csv", 500), ("*/*", 0), ("e/f", 1000)]);
        assert_eq!(found[0].parameters, [("header".to_owned(), "a,b;c")]);
        assert_eq!(alternatives(&HeaderMap::new(), &header::ACCEPT), None);
    }

    #[test]
    fn a_quality_has_at_most_three_digits() {
        let read = [
            ("1", Some(1000)),
            ("1.000", Some(1000)),
            ("0", Some(0)),
            ("0.001", Some(1)),
            ("0.5", Some(500)),
        ];
        for (text, expected) in read {
            assert_eq!(quality(text), expected, "{text}");
        }
        assert_eq!(quality(".2"), Some(200));
        for text in ["", ".", "2", "1.001", "0.0001", "-1", "0.x", "NaN"] {
            assert_eq!(quality(text), None, "{text}");
        }
    }

    #[test]
    fn gzip_is_taken_where_it_is_wanted() {
        let taken = |values: &[&'static str]| takes_gzip(&headers(header::ACCEPT_ENCODING, values));
        for values in [&["gzip"][..], &["br, x-gzip;q=0.1"], &["*"], &["identity, gzip"], &["br", "GZIP"]] {
            assert!(taken(values), "{values:?}");
        }
        for values in [&[][..], &[""], &["br"], &["gzip;q=0, *"], &["identity;q=1, gzip;q=0.5"], &["*;q=0"]] {
            assert!(!taken(values), "{values:?}");
        }
    }
}
