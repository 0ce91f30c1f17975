use syn::{Error, Expr, ExprUnary, Lit, Result, UnOp, spanned::Spanned};

/// A Rust literal, an array of them or `None`, as JSON text.
pub(crate) fn json(value: &Expr) -> Result<String> {
    match value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Ok(quote(&text.value())),
            Lit::Bool(value) => Ok(value.value.to_string()),
            Lit::Int(_) | Lit::Float(_) => number(value),
            _ => Err(not_a_value(value)),
        },
        Expr::Unary(_) => number(value),
        Expr::Array(array) => {
            let elements: Vec<String> = array.elems.iter().map(json).collect::<Result<_>>()?;
            Ok(format!("[{}]", elements.join(",")))
        }
        Expr::Path(path) if path.path.is_ident("None") => Ok("null".to_owned()),
        _ => Err(not_a_value(value)),
    }
}

/// A number, with its sign, as decimal text.
pub(crate) fn number(value: &Expr) -> Result<String> {
    match value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(int) => Ok(int.base10_digits().to_owned()),
            Lit::Float(float) => Ok(float.base10_digits().to_owned()),
            _ => Err(not_a_number(value)),
        },
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => Ok(format!("-{}", number(expr)?)),
        _ => Err(not_a_number(value)),
    }
}

fn not_a_value(value: &Expr) -> Error {
    Error::new(value.span(), "this has to be a number, a string, true, false, None or an array of these")
}

fn not_a_number(value: &Expr) -> Error {
    Error::new(value.span(), "this has to be a number")
}

fn quote(text: &str) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            '\0'..='\u{1f}' => json.push_str(&format!("\\u{:04x}", c as u32)),
            _ => json.push(c),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json_of(rust: &str) -> Option<String> {
        json(&syn::parse_str(rust).unwrap()).ok()
    }

    #[test]
    fn literals_become_json() {
        for (rust, json) in [
            ("1", "1"),
            ("1_000u32", "1000"),
            ("-2.5", "-2.5"),
            ("true", "true"),
            ("None", "null"),
            (r#""a \"b\" \n""#, r#""a \"b\" \u000a""#),
            (r#"["a", "b"]"#, r#"["a","b"]"#),
        ] {
            assert_eq!(json_of(rust).as_deref(), Some(json), "{rust}");
        }
    }

    #[test]
    fn what_is_computed_is_no_literal() {
        for rust in ["1 + 1", "f()", "-\"a\"", "b\"a\"", "Some(1)", "!true"] {
            assert_eq!(json_of(rust), None, "{rust}");
        }
    }
}
