use super::problem::{ParameterError, Problem};
use crate::{Code, Format};

/// What a query string says to the service, and not to the query: what the reply is to be like. A name that the query declares
/// as a parameter is the query's.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// `format`: a name of a [`Format`].
    pub format: Option<String>,
    /// `numbers`: `strings`, or `numbers` as without it.
    pub numbers: Option<String>,
    /// `statement`: the one that is wanted of several.
    pub statement: Option<String>,
}

/// The names that a query string may have for the service.
const NAMES: [&str; 3] = ["format", "numbers", "statement"];

/// The names and values of a query string.
pub(super) type Pairs = Vec<(String, String)>;

impl Options {
    /// Takes what is said to the service out of a query string. The rest is for the query.
    ///
    /// # Errors
    /// A name is given twice.
    pub fn take(pairs: Pairs, is_declared: impl Fn(&str) -> bool) -> Result<(Self, Pairs), Problem> {
        let is_option = |(name, _): &(String, String)| NAMES.contains(&name.as_str()) && !is_declared(name);
        let (options, rest): (Pairs, Pairs) = pairs.into_iter().partition(is_option);
        let mut taken = Self::default();
        for (name, value) in options {
            let place = match name.as_str() {
                "format" => &mut taken.format,
                "numbers" => &mut taken.numbers,
                _ => &mut taken.statement,
            };
            if place.replace(value).is_some() {
                return Err(wrong(&name, "is given twice"));
            }
        }
        Ok((taken, rest))
    }

    /// The same of a query string that may have nothing else, since the parameters are elsewhere.
    ///
    /// # Errors
    /// A name is given twice, or is none of the service's.
    pub fn only(pairs: Pairs, is_declared: impl Fn(&str) -> bool) -> Result<Self, Problem> {
        match Self::take(pairs, is_declared)? {
            (options, rest) if rest.is_empty() => Ok(options),
            _ => {
                let detail = format!(
                    "a POST has its parameters in the body, and in the query string at most {}, where the query has no \
                     parameters of these names",
                    NAMES.join(", ")
                );
                Err(Problem::new(Code::BadRequest, detail))
            }
        }
    }
}

/// A problem with what was said to the service.
pub(super) fn wrong(name: &str, what: &str) -> Problem {
    let detail = format!("`{name}` {what}");
    let error =
        ParameterError { parameter: name.to_owned(), code: Code::InvalidParameter, detail: detail.clone() };
    Problem::new(Code::InvalidParameter, detail).with_errors([error])
}

/// None of what is asked for can be had.
pub(super) fn not_acceptable(what: &str) -> Problem {
    let detail = format!(
        "{what}; a reply can be had as {} (`Accept`), or by `?format=` with one of {}",
        Format::all(Format::media_type),
        Format::all(Format::name)
    );
    let available: Vec<_> = Format::ALL.iter().map(|format| format.media_type()).collect();
    Problem::new(Code::NotAcceptable, detail).with_extension("available", available)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Pairs {
        form_urlencoded::parse(text.as_bytes()).into_owned().collect()
    }

    #[test]
    fn what_the_query_declares_is_its_own() {
        let text = "format=csv&company=1&numbers=strings&statement=totals";
        let (options, rest) = Options::take(pairs(text), |_| false).unwrap();
        assert_eq!(rest, pairs("company=1"));
        let expected = Options {
            format: Some("csv".to_owned()),
            numbers: Some("strings".to_owned()),
            statement: Some("totals".to_owned()),
        };
        assert_eq!(options, expected);
        let (options, rest) = Options::take(pairs(text), |name| name == "format").unwrap();
        assert_eq!((options.format, rest), (None, pairs("format=csv&company=1")));
    }

    #[test]
    fn what_is_neither_is_refused() {
        let problem = Options::take(pairs("format=csv&format=json"), |_| false).unwrap_err().json();
        assert!(problem.contains("CS1005") && problem.contains("`format` is given twice"), "{problem}");
        for (text, declared) in [("company=1", ""), ("format=csv", "format")] {
            let problem = Options::only(pairs(text), |name| name == declared).unwrap_err().json();
            assert!(problem.contains("CS1008"), "{problem}");
        }
        assert_eq!(Options::only(pairs("format=csv"), |_| false).unwrap().format.as_deref(), Some("csv"));
    }
}
