//! As much JSON as the values of parameters need.

/// A JSON string.
pub fn quote(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\0'..='\u{1f}' => {
                json.push_str("\\u00");
                json.push(char::from(DIGITS[c as usize >> 4]));
                json.push(char::from(DIGITS[c as usize & 15]));
            }
            _ => json.push(c),
        }
    }
    json.push('"');
    json
}

/// The text of a JSON string; `None` if `json` is none.
pub(crate) fn unquote(json: &str) -> Option<String> {
    let mut rest = json.trim().strip_prefix('"')?.strip_suffix('"')?.chars();
    let mut text = String::with_capacity(json.len());
    while let Some(c) = rest.next() {
        match c {
            '"' => return None,
            '\\' => text.push(match rest.next()? {
                c @ ('"' | '\\' | '/') => c,
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => unicode(&mut rest)?,
                _ => return None,
            }),
            _ => text.push(c),
        }
    }
    Some(text)
}

fn unicode(rest: &mut std::str::Chars<'_>) -> Option<char> {
    let high = unit(rest)?;
    if !(0xd800..0xdc00).contains(&high) {
        return char::from_u32(high);
    }
    if rest.next()? != '\\' || rest.next()? != 'u' {
        return None;
    }
    let low = unit(rest)?;
    if !(0xdc00..0xe000).contains(&low) {
        return None;
    }
    char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
}

fn unit(rest: &mut std::str::Chars<'_>) -> Option<u32> {
    let mut unit = 0;
    for _ in 0..4 {
        unit = unit * 16 + rest.next()?.to_digit(16)?;
    }
    Some(unit)
}

/// The JSON texts of the elements of a JSON array; `None` if `json` is none. The elements are not checked.
pub(crate) fn elements(json: &str) -> Option<Vec<&str>> {
    let inner = json.trim().strip_prefix('[')?.strip_suffix(']')?;
    let mut elements = Vec::new();
    if inner.trim().is_empty() {
        return Some(elements);
    }
    let (mut start, mut depth, mut in_string, mut escaped) = (0, 0_u32, false, false);
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.checked_sub(1)?,
            b',' if depth == 0 => {
                elements.push(inner[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    elements.push(inner[start..].trim());
    if in_string || depth > 0 || elements.contains(&"") { None } else { Some(elements) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_back_as_they_were() {
        for text in ["", "plain", "a \"quote\"", "back\\slash", "line\nend\0", "Łukasz 👀"] {
            assert_eq!(unquote(&quote(text)).as_deref(), Some(text));
        }
        assert_eq!(unquote(r#""\ud83d\udc40 \/ \u0041""#).as_deref(), Some("👀 / A"));
    }

    #[test]
    fn what_is_no_string_is_refused() {
        for json in ["", "\"", "a", "\"a\"b\"", r#""\x""#, r#""\u12""#, r#""\ud83d""#, r#""\udc40""#, "12"] {
            assert_eq!(unquote(json), None, "{json}");
        }
    }

    #[test]
    fn arrays_split_at_their_own_commas() {
        assert_eq!(elements("[]"), Some(vec![]));
        assert_eq!(elements(r#"[1, "a,]\"[", [2, 3], {"b": [4]}]"#).unwrap().len(), 4);
        for json in ["", "1", "[", "[1,]", "[,]", "[\"a]", "[[1]", "[1]]"] {
            assert_eq!(elements(json), None, "{json}");
        }
    }
}
