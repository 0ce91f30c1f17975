//! How a grant is written: read, and told.

use std::borrow::Cow;

use callslip_ir::{QualifiedName, TypeName};

/// A grant of relations.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Relations {
    /// One relation, and of its columns only these, if any are written.
    One(QualifiedName, Option<Vec<String>>),
    /// Those of a schema whose names are like that.
    Like {
        schema: String,
        /// With an asterisk for any number of characters.
        pattern: String,
    },
}

/// A grant of a function, or of those of one name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub name: QualifiedName,
    /// What it takes; nothing, where every signature is granted.
    pub arguments: Option<Vec<TypeName>>,
}

/// A grant of an operator, or of those of one name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Operator {
    pub name: QualifiedName,
    /// The left one, of which a prefix operator has none, and the right one; nothing, where every signature is granted.
    pub operands: Option<(Option<TypeName>, TypeName)>,
}

/// A grant of a cast.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cast {
    pub source: TypeName,
    pub target: TypeName,
}

/// Why a grant can't be read.
pub(super) type Wrong = &'static str;

/// `position`, `candidate(id, name)`, `reporting.*`.
pub(super) fn relations(written: &str) -> Result<Relations, Wrong> {
    let mut reader = Reader { rest: written };
    let (schema, name) = reader.name()?;
    let columns = reader.list(Reader::column)?;
    if schema.as_ref().is_some_and(Part::is_pattern) {
        return Err("a schema is never a pattern, only what is in one");
    }
    if !name.is_pattern() {
        return Ok(Relations::One(qualified(schema, name), columns));
    }
    let Some(schema) = schema else { return Err("a pattern needs a schema, as in \"public.report_*\"") };
    if columns.is_some() {
        return Err("columns are of one relation, and not of a pattern");
    }
    Ok(Relations::Like { schema: schema.text, pattern: name.text })
}

/// `app.score`, `app.score(int4, text)`.
pub(super) fn function(written: &str) -> Result<Function, Wrong> {
    let mut reader = Reader { rest: written };
    let (schema, name) = reader.name()?;
    Ok(Function { name: qualified(schema, name), arguments: reader.list(Reader::ty)? })
}

/// `public.<->`, `public.<->(int4, int4)`, `public.!(NONE, int4)`.
pub(super) fn operator(written: &str) -> Result<Operator, Wrong> {
    let mut reader = Reader { rest: written };
    let (schema, name) = reader.name()?;
    let operand = |reader: &mut Reader<'_>| match reader.rest.trim_start().get(..4) {
        Some(none) if none.eq_ignore_ascii_case("none") && reader.is_word(4) => {
            reader.rest = &reader.rest.trim_start()[4..];
            Ok(None)
        }
        _ => reader.ty().map(Some),
    };
    let operands = match reader.list(operand)?.map(<[_; 2]>::try_from) {
        None => None,
        Some(Ok([left, Some(right)])) => Some((left, right)),
        Some(_) => return Err("an operator has two operands, of which the left one may be NONE"),
    };
    Ok(Operator { name: qualified(schema, name), operands })
}

/// `app.color AS text`.
pub(super) fn cast(written: &str) -> Result<Cast, Wrong> {
    let mut quoted = false;
    let mut at = None;
    for (index, character) in written.char_indices() {
        quoted ^= character == '"';
        let word = written.get(index..index + 4).filter(|_| !quoted);
        if word.is_some_and(|word| word.eq_ignore_ascii_case(" as ")) {
            at = Some(index);
            break;
        }
    }
    let Some(at) = at else { return Err("a cast is written as \"app.color AS text\"") };
    Ok(Cast { source: ty(&written[..at])?, target: ty(&written[at + 4..])? })
}

/// `app.color`, `int4[]`.
pub(super) fn ty(written: &str) -> Result<TypeName, Wrong> {
    let mut reader = Reader { rest: written };
    let ty = reader.ty()?;
    if reader.rest.trim().is_empty() { Ok(ty) } else { Err("something stands after the type") }
}

/// Whether a name is like a pattern.
pub(super) fn is_like(name: &str, pattern: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return name == pattern };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        // The first place is as good as any later one.
        let Some(at) = name.find(part) else { return false };
        name = &name[at + part.len()..];
    }
    name.ends_with(last)
}

/// A name as grants write it, so that it reads back as what it is.
pub(super) fn name(schema: &str, name: &str) -> String {
    format!("{}.{}", quoted(schema), quoted(name))
}

/// One of the parts of a name, in quotes where it needs them.
pub(super) fn quoted(part: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '-');
    match !part.is_empty() && part.chars().all(is_plain) {
        true => Cow::Borrowed(part),
        false => Cow::Owned(format!("\"{}\"", part.replace('"', "\"\""))),
    }
}

fn qualified(schema: Option<Part>, name: Part) -> QualifiedName {
    QualifiedName { schema: schema.map(|part| part.text), name: name.text }
}

/// A name without a dot.
struct Part {
    text: String,
    quoted: bool,
}

impl Part {
    fn is_pattern(&self) -> bool {
        !self.quoted && self.text.contains('*')
    }
}

struct Reader<'w> {
    rest: &'w str,
}

impl Reader<'_> {
    /// The schema, if there is one, and the name.
    fn name(&mut self) -> Result<(Option<Part>, Part), Wrong> {
        let first = self.part(&['.', '('])?;
        let Some(rest) = self.rest.strip_prefix('.') else { return Ok((None, first)) };
        self.rest = rest;
        Ok((Some(first), self.part(&['('])?))
    }

    /// A name without a dot, up to one of these characters or the end.
    fn part(&mut self, ends: &[char]) -> Result<Part, Wrong> {
        let Some(mut rest) = self.rest.trim_start().strip_prefix('"') else {
            let end = self.rest.find(ends).unwrap_or(self.rest.len());
            let (text, rest) = self.rest.split_at(end);
            self.rest = rest;
            let text = text.trim().to_owned();
            return if text.is_empty() { Err("a name is missing") } else { Ok(Part { text, quoted: false }) };
        };
        let mut text = String::new();
        loop {
            let Some(quote) = rest.find('"') else { return Err("a closing quote is missing") };
            text.push_str(&rest[..quote]);
            rest = &rest[quote + 1..];
            match rest.strip_prefix('"') {
                Some(after) => {
                    text.push('"');
                    rest = after;
                }
                None => break,
            }
        }
        self.rest = rest.trim_start();
        if text.is_empty() {
            return Err("a name is missing");
        }
        match self.rest.is_empty() || self.rest.starts_with(ends) {
            true => Ok(Part { text, quoted: true }),
            false => Err("something stands between a closing quote and what follows the name"),
        }
    }

    /// What stands in parentheses, if there are any, which end what is written.
    fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, Wrong>,
    ) -> Result<Option<Vec<T>>, Wrong> {
        let Some(rest) = self.rest.strip_prefix('(') else { return Ok(None) };
        self.rest = rest;
        let mut items = Vec::new();
        if self.rest.trim_start().starts_with(')') {
            self.rest = self.rest.trim_start();
        } else {
            loop {
                items.push(item(self)?);
                self.rest = self.rest.trim_start();
                let Some(rest) = self.rest.strip_prefix(',') else { break };
                self.rest = rest;
            }
        }
        let Some(rest) = self.rest.strip_prefix(')') else { return Err("a closing parenthesis is missing") };
        self.rest = rest;
        match rest.trim().is_empty() {
            true => Ok(Some(items)),
            false => Err("something stands after the closing parenthesis"),
        }
    }

    fn column(&mut self) -> Result<String, Wrong> {
        self.part(&[',', ')']).map(|part| part.text)
    }

    fn ty(&mut self) -> Result<TypeName, Wrong> {
        const ENDS: [char; 4] = [',', ')', '(', '['];
        let first = self.part(&[ENDS.as_slice(), &['.']].concat())?;
        let (schema, name) = match self.rest.strip_prefix('.') {
            Some(rest) => {
                self.rest = rest;
                (Some(first), self.part(&ENDS)?)
            }
            None => (None, first),
        };
        let array = match self.rest.strip_prefix("[]") {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        };
        match self.rest.starts_with(['(', '[']) {
            true => Err("a type has no modifiers here, and an array is written as \"int4[]\""),
            false => Ok(TypeName { name: qualified(schema, name), modifiers: Vec::new(), array }),
        }
    }

    /// Whether a word of so many bytes ends there.
    fn is_word(&self, bytes: usize) -> bool {
        let rest = self.rest.trim_start().get(bytes..).unwrap_or_default().trim_start();
        rest.starts_with([',', ')'])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(written: &str) -> (Option<String>, String, Option<Vec<String>>) {
        match relations(written) {
            Ok(Relations::One(name, columns)) => (name.schema, name.name, columns),
            other => panic!("{written}: {other:?}"),
        }
    }

    #[test]
    fn a_relation_is_read_as_it_is_written() {
        let name = |schema: &str, name: &str| (Some(schema.to_owned()), name.to_owned(), None);
        let columns = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(one("position"), (None, "position".into(), None));
        assert_eq!(one("Position"), (None, "Position".into(), None));
        assert_eq!(one("audit.event"), name("audit", "event"));
        // Only the first dot counts, as ever.
        assert_eq!(one("audit.event.old"), name("audit", "event.old"));
        assert_eq!(one("\"a.b\".\"c(d\""), name("a.b", "c(d"));
        assert_eq!(one("\"a\"\"b\".\"*\""), name("a\"b", "*"));
        assert_eq!(one("odd name"), (None, "odd name".into(), None));
        assert_eq!(one("candidate(id, name)"), (None, "candidate".into(), columns(&["id", "name"])));
        assert_eq!(one("candidate ( id )"), (None, "candidate".into(), columns(&["id"])));
        assert_eq!(one("candidate()"), (None, "candidate".into(), columns(&[])));
        assert_eq!(
            one("\"odd name\"(\"a(b\", \"c,d\", e.f)"),
            (None, "odd name".into(), columns(&["a(b", "c,d", "e.f"]))
        );
        let like = |schema: &str, pattern: &str| {
            Ok(Relations::Like { schema: schema.into(), pattern: pattern.into() })
        };
        assert_eq!(relations("reporting.*"), like("reporting", "*"));
        assert_eq!(relations("\"odd one\".report_*_v2"), like("odd one", "report_*_v2"));
    }

    #[test]
    fn what_can_not_be_read_says_why() {
        for (written, why) in [
            ("", "a name is missing"),
            ("a.", "a name is missing"),
            (".a", "a name is missing"),
            ("\"\"", "a name is missing"),
            ("\"a", "a closing quote is missing"),
            ("\"a\"b", "something stands between a closing quote"),
            ("a(", "a name is missing"),
            ("a(b", "a closing parenthesis is missing"),
            ("a(b,)", "a name is missing"),
            ("a(b) c", "something stands after the closing parenthesis"),
            ("*.a", "a schema is never a pattern"),
            ("*", "a pattern needs a schema"),
            ("a.*(b)", "columns are of one relation"),
        ] {
            let found = relations(written).expect_err(written);
            assert!(found.starts_with(why), "{written}: {found}");
        }
        assert!(function("f(numeric(10,2))").unwrap_err().starts_with("a type has no modifiers"));
        assert!(function("f(int4[3])").unwrap_err().starts_with("a type has no modifiers"));
        for written in ["<->(int4)", "<->(int4, NONE)", "<->(int4, int4, int4)", "<->()"] {
            assert!(operator(written).unwrap_err().starts_with("an operator has two operands"), "{written}");
        }
        assert!(cast("app.color").unwrap_err().starts_with("a cast is written"));
        assert!(cast("a AS b AS c").is_ok(), "a type may have a blank in its name");
        assert!(ty("a(b)").is_err());
    }

    #[test]
    fn signatures_are_read_by_their_types() {
        let types = |written: &str| {
            function(written)
                .unwrap()
                .arguments
                .map(|types| types.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(types("app.score"), None);
        assert_eq!(types("app.score()").unwrap(), [""; 0]);
        assert_eq!(
            types("app.score(int4, timestamp with time zone, app.mood[], \"odd, one\".\"ty\"[])").unwrap(),
            ["int4", "timestamp with time zone", "app.mood[]", "odd, one.ty[]"]
        );
        let operands = |written: &str| operator(written).unwrap().operands.unwrap();
        let int4 = || TypeName::parse("int4");
        assert_eq!(operator("public.<->").unwrap().operands, None);
        assert_eq!(operands("public.<->(int4, int4)"), (Some(int4()), int4()));
        assert_eq!(operands("public.!(NONE, int4)"), (None, int4()));
        assert_eq!(operands("!( none , int4)"), (None, int4()));
        assert_eq!(operands("!(nonesuch, int4)").0, Some(TypeName::parse("nonesuch")));
        let found = cast("\"a AS b\".c as timestamp with time zone").unwrap();
        assert_eq!(
            (found.source.name, found.target),
            (QualifiedName::within("a AS b", "c"), TypeName::parse("timestamp with time zone"))
        );
    }

    #[test]
    fn an_asterisk_stands_for_any_characters() {
        for (name, pattern, like) in [
            ("report_a", "report_*", true),
            ("report_", "report_*", true),
            ("areport_a", "report_*", false),
            ("anything", "*", true),
            ("a_b_c", "a*b*c", true),
            ("a_c_b", "a*b*c", false),
            ("ab", "ab*b", false),
            ("abab", "ab*ab", true),
            ("aba", "ab*ba", false),
            ("x_old", "*_old", true),
            ("x_older", "*_old", false),
            ("a*", "a*", true),
        ] {
            assert_eq!(is_like(name, pattern), like, "{name} {pattern}");
        }
    }

    #[test]
    fn a_name_reads_back_as_what_it_is() {
        for (schema, its) in [("public", "position"), ("a.b", "c*"), ("A", "x y"), ("\"", "(,)"), (" ", "é")]
        {
            assert_eq!(one(&name(schema, its)), (Some(schema.to_owned()), its.to_owned(), None));
            let written = format!("{}({})", name(schema, its), quoted(its));
            assert_eq!(one(&written).2, Some(vec![its.to_owned()]), "{written}");
        }
    }
}
