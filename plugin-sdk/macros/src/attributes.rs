use syn::{Attribute, Expr, Lit, Meta, Result, Token, meta::ParseNestedMeta, parse::Parse};

/// What the documentation comments say, without the blank that follows `///`.
pub(crate) fn documentation(attributes: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        if let Meta::NameValue(pair) = &attribute.meta
            && let Expr::Lit(value) = &pair.value
            && let Lit::Str(text) = &value.lit
        {
            let text = text.value();
            lines.extend(
                text.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned()),
            );
            if text.is_empty() {
                lines.push(String::new());
            }
        }
    }
    lines.join("\n").trim().to_owned()
}

/// Reads the value of `key = value` into `slot`, once.
pub(crate) fn value<T: Parse>(meta: &ParseNestedMeta<'_>, slot: &mut Option<T>) -> Result<()> {
    if slot.is_some() {
        return Err(meta.error("this is there twice"));
    }
    meta.input.parse::<Token![=]>()?;
    *slot = Some(meta.input.parse()?);
    Ok(())
}
