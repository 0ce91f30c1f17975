use std::fmt;
use std::str::FromStr;

/// In what format a reply is written. [The table](crate::rows) says what each makes of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// JSON: an array of row objects, one object or null where the query gives at most one row, or an object of these by name
    /// where it has several statements.
    #[default]
    Json,
    /// A row object a line. Where the query has several statements, a line is `{"statement":"…","row":{…}}`.
    Ndjson,
    /// CSV of RFC 4180: a line with the names of the columns, then a line a row. One statement only.
    Csv,
    /// A stream of Apache Arrow: a schema, then batches of rows, then its end, which a reply that breaks off has not. One
    /// statement only.
    #[cfg(feature = "arrow")]
    Arrow,
}

impl Format {
    /// Every format, the usual first.
    pub const ALL: &[Self] = &[
        Self::Json,
        Self::Ndjson,
        Self::Csv,
        #[cfg(feature = "arrow")]
        Self::Arrow,
    ];

    /// Its name: `json`, `ndjson`, `csv` or `arrow`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            #[cfg(feature = "arrow")]
            Self::Arrow => "arrow",
        }
    }

    /// Its media type, without parameters: `text/csv`.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv",
            #[cfg(feature = "arrow")]
            Self::Arrow => "application/vnd.apache.arrow.stream",
        }
    }

    /// Whether it has room for the rows of several statements.
    pub fn takes_several(self) -> bool {
        matches!(self, Self::Json | Self::Ndjson)
    }

    /// Its name or media type, as messages list them.
    pub(crate) fn all(named: fn(Self) -> &'static str) -> String {
        Self::ALL.iter().map(|format| named(*format)).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// By its name.
impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::ALL.iter().copied().find(|format| format.name() == name).ok_or(UnknownFormat)
    }
}

/// A name that no [`Format`] has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such format; there are {}", Format::all(Format::name))]
pub struct UnknownFormat;
