use callslip_ir::snapshot::{read_reference, reference};

use super::super::SnapshotError;
use crate::catalog::{ObjectName, Signature};

/// The object of that kind that a reference means: one that need not be in the snapshot.
pub(super) fn object(what: &'static str, written: &str, place: &str) -> Result<ObjectName, SnapshotError> {
    let (schema, name) = read_reference(written).ok_or_else(|| invalid(what, written, place))?;
    Ok(ObjectName { schema, name })
}

/// The function that is written with its arguments, as in `app.score(int4, app.mood[])`.
pub(super) fn signature(written: &str, place: &str) -> Result<Signature, SnapshotError> {
    read_signature(written).ok_or_else(|| invalid("signature", written, place))
}

fn read_signature(written: &str) -> Option<Signature> {
    let (function, arguments) = written.strip_suffix(')')?.split_at(outside_quotes(written, '(')?);
    let (schema, name) = read_reference(function)?;
    let mut signature = Signature { function: ObjectName { schema, name }, ..Signature::default() };
    let mut rest = &arguments[1..];
    while !rest.is_empty() {
        let end = outside_quotes(rest, ',').unwrap_or(rest.len());
        let (argument, after) = rest.split_at(end);
        signature.arguments.push(read_type(argument)?);
        rest = match after {
            "" => after,
            // A comma is followed by one more argument.
            _ => after.strip_prefix(", ").filter(|after| !after.is_empty())?,
        };
    }
    Some(signature)
}

/// A reference to a type as the snapshot writes it.
fn read_type(written: &str) -> Option<String> {
    let element = written.strip_suffix("[]");
    let (schema, name) = read_reference(element.unwrap_or(written))?;
    let array = if element.is_some() { "[]" } else { "" };
    Some(reference(&schema, &name) + array)
}

/// Where a character stands that is in no quotes.
fn outside_quotes(text: &str, wanted: char) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(at, c)| {
        // A quote within a name is written twice, and so leaves things as they were.
        quoted ^= c == '"';
        (c == wanted && !quoted).then_some(at)
    })
}

fn invalid(what: &'static str, reference: &str, place: &str) -> SnapshotError {
    SnapshotError::InvalidReference { what, reference: reference.to_owned(), place: place.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{ObjectName, Signature, read_signature};

    #[test]
    fn a_signature_reads_back_as_what_it_was_made_of() {
        for (schema, name, arguments, written) in [
            ("pg_catalog", "now", &[][..], "now()"),
            ("pg_catalog", "lower", &["text"], "lower(text)"),
            ("app", "score", &["int4", "app.mood[]"], "app.score(int4, app.mood[])"),
            (
                "a(",
                "b, \"",
                &["\"x, (\"", "\"é\".\"a[]\"[]"],
                "\"a(\".\"b, \"\"\"(\"x, (\", \"é\".\"a[]\"[])",
            ),
        ] {
            let function = ObjectName { schema: schema.into(), name: name.into() };
            let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
            let signature = Signature { function, arguments };
            assert_eq!(signature.to_string(), written);
            assert_eq!(read_signature(written), Some(signature), "{written}");
        }
    }

    #[test]
    fn nothing_else_is_a_signature() {
        for written in [
            "",
            "f",
            "f(",
            "f)",
            "()",
            "(text)",
            "f(text",
            "f(text))",
            "f(text,)",
            "f(text, )",
            "f(text,int4)",
            "f(, text)",
            "f(text) ",
            "F()",
            "f(Text)",
            "f(text[][])",
            "\"f()",
            "\"f(\")",
            "f(\")",
            "é()",
            "f(é)",
            "f(\"é)",
        ] {
            assert_eq!(read_signature(written), None, "{written}");
        }
    }
}
