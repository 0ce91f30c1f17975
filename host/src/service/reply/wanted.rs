use axum::http::{HeaderMap, header};

use super::accept::{Alternative, alternatives};
use crate::service::options::{Options, not_acceptable, wrong};
use crate::service::problem::Problem;
use crate::{Call, Format, Numbers};

/// What reply a request wants: by `Accept`, or by what its query string says to the service, which comes first.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::service) struct Wanted {
    pub format: Format,
    pub numbers: Numbers,
    /// The one statement that is wanted of several.
    pub statement: Option<String>,
}

impl Wanted {
    /// What is wanted of a query that has several statements or one.
    ///
    /// `Accept` may have parameters, `text/csv; statement=totals` or `application/json; numbers=strings`, as a query string has
    /// names. A client that names no format has JSON; of those that it wants equally, the first that it names. Where
    /// it takes others too, one that has no room for several statements is not chosen for them.
    ///
    /// # Errors
    /// [`Code::NotAcceptable`](crate::Code::NotAcceptable); a malformed option.
    pub fn of(options: Options, headers: &HeaderMap, has_several: bool) -> Result<Self, Problem> {
        let accepted = alternatives(headers, &header::ACCEPT).filter(|accepted| !accepted.is_empty());
        let named = match &options.format {
            Some(name) => Some(name.parse().map_err(|_| not_acceptable("`format` names no format"))?),
            None => None,
        };
        let (format, by) = match (named, &accepted) {
            (Some(format), _) => (format, None),
            (None, None) => (Format::Json, None),
            (None, Some(accepted)) => {
                let fits = |format: Format, by: &Alternative<'_>| {
                    !has_several
                        || format.takes_several()
                        || options.statement.is_some()
                        || parameter(by, "statement").is_some()
                };
                let chosen = choose(accepted, fits).or_else(|| choose(accepted, |_, _| true));
                let (format, by) =
                    chosen.ok_or_else(|| not_acceptable("none of what `Accept` names is there"))?;
                (format, Some(by))
            }
        };
        let said = |option: Option<String>, name| {
            option.or_else(|| by.and_then(|by| parameter(by, name)).map(str::to_owned))
        };
        let numbers = match said(options.numbers, "numbers").as_deref() {
            None | Some("numbers") => Numbers::AsNumbers,
            Some("strings") => Numbers::AsStrings,
            Some(_) => return Err(wrong("numbers", "is neither `numbers` nor `strings`")),
        };
        Ok(Self { format, numbers, statement: said(options.statement, "statement") })
    }
}

impl Wanted {
    /// The call whose reply is that.
    pub fn ask<'loan>(&self, call: Call<'loan>) -> Call<'loan> {
        let call = call.format(self.format).numbers(self.numbers);
        match &self.statement {
            Some(statement) => call.statement(statement.as_str()),
            None => call,
        }
    }
}

fn parameter<'a>(by: &Alternative<'a>, name: &str) -> Option<&'a str> {
    by.parameters.iter().find(|(its, _)| its == name).map(|(_, value)| *value)
}

/// The format that is wanted most, and by which of the alternatives.
fn choose<'a, 'h>(
    accepted: &'a [Alternative<'h>],
    fits: impl Fn(Format, &Alternative<'h>) -> bool,
) -> Option<(Format, &'a Alternative<'h>)> {
    let offers = Format::ALL.iter().enumerate().filter_map(|(usual, &format)| {
        // The most specific alternative says how much a format is wanted, and of several such the one that wants it most.
        let matching = accepted.iter().enumerate().filter_map(|(place, its)| {
            let specific = matches(&its.name, format.media_type())?;
            Some((specific, its.quality, std::cmp::Reverse(place), its))
        });
        let (specific, quality, place, by) =
            matching.max_by_key(|(specific, quality, place, _)| (*specific, *quality, *place))?;
        let wanted = quality > 0 && fits(format, by);
        wanted.then_some(((quality, specific, place, std::cmp::Reverse(usual)), (format, by)))
    });
    offers.max_by_key(|(rank, _)| *rank).map(|(_, chosen)| chosen)
}

/// How specific a range is that a media type is in.
fn matches(range: &str, media_type: &str) -> Option<u8> {
    let (ty, _) = media_type.split_once('/')?;
    match range.split_once('/')? {
        _ if range == media_type => Some(2),
        (its, "*") if its == ty => Some(1),
        ("*", "*") => Some(0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn wanted(accept: &'static str, options: Options, has_several: bool) -> Result<Wanted, String> {
        let headers = match accept {
            "" => HeaderMap::new(),
            accept => HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]),
        };
        Wanted::of(options, &headers, has_several).map_err(|problem| problem.json())
    }

    #[test]
    fn what_is_accepted_most_is_chosen() {
        for (accept, format) in [
            ("", Format::Json),
            ("*/*", Format::Json),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Format::Json),
            ("text/csv", Format::Csv),
            ("TEXT/CSV; charset=utf-8", Format::Csv),
            ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", Format::Json),
            ("text/*", Format::Csv),
            ("application/*", Format::Json),
            ("text/csv, */*;q=0.1", Format::Csv),
            ("text/csv;q=0.1, */*", Format::Json),
            ("application/json;q=0, */*", Format::Ndjson),
            ("application/json;q=0.5, application/x-ndjson;q=0.6", Format::Ndjson),
            ("text/csv, application/json", Format::Csv),
            ("application/json, text/csv", Format::Json),
            ("*/*, text/csv", Format::Csv),
            #[cfg(feature = "arrow")]
            ("application/vnd.apache.arrow.stream", Format::Arrow),
        ] {
            assert_eq!(wanted(accept, Options::default(), false).unwrap().format, format, "{accept}");
        }
        for accept in
            ["text/html", "application/json;q=0", "*/*;q=0", "text/csv;q=0, text/*;q=0", "image/*", "*"]
        {
            let problem = wanted(accept, Options::default(), false).unwrap_err();
            assert!(
                problem.contains("CS1015") && problem.contains("application/x-ndjson"),
                "{accept}: {problem}"
            );
        }
    }

    #[test]
    fn a_format_without_room_for_several_statements_is_a_last_resort() {
        let format = |accept| wanted(accept, Options::default(), true).unwrap().format;
        assert_eq!(format("text/csv, application/x-ndjson;q=0.1"), Format::Ndjson);
        assert_eq!(format("text/csv; statement=a, application/x-ndjson;q=0.1"), Format::Csv);
        assert_eq!(format("text/csv"), Format::Csv);
    }

    #[test]
    fn the_query_string_comes_first() {
        let format = |name: &str| Options { format: Some(name.to_owned()), ..Options::default() };
        assert_eq!(wanted("text/html", format("csv"), false).unwrap().format, Format::Csv);
        assert!(wanted("", format("CSV"), false).unwrap_err().contains("CS1015"));
        let told =
            wanted("application/json; numbers=strings; statement=\"a\"", Options::default(), false).unwrap();
        let expected =
            Wanted { format: Format::Json, numbers: Numbers::AsStrings, statement: Some("a".to_owned()) };
        assert_eq!(told, expected);
        let options =
            Options { numbers: Some("numbers".to_owned()), statement: Some("b".to_owned()), format: None };
        let told = wanted("application/json; numbers=strings; statement=a", options, false).unwrap();
        assert_eq!((told.numbers, told.statement.as_deref()), (Numbers::AsNumbers, Some("b")));
        let options = Options { numbers: Some("words".to_owned()), ..Options::default() };
        assert!(wanted("", options, false).unwrap_err().contains("CS1005"));
    }
}
