use proc_macro2::Span;
use syn::{
    Error, Ident, LitStr, Result, Token, bracketed,
    ext::IdentExt,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
};

/// `"schema.json", only = [position, audit.event]`.
pub(super) struct Arguments {
    pub path: LitStr,
    pub only: Option<Vec<Wanted>>,
}

/// A relation that `only` names.
pub(super) struct Wanted {
    pub schema: Option<String>,
    pub name: String,
    pub span: Span,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if !input.peek(LitStr) {
            return Err(input.error("the path of a snapshot is wanted here: `schema!(\"schema.json\")`"));
        }
        let mut arguments = Self { path: input.parse()?, only: None };
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        if input.is_empty() {
            return Ok(arguments);
        }
        let key = input.call(Ident::parse_any)?;
        if key != "only" {
            let message = "`schema!` takes `only = [position, audit.event]` after the path";
            return Err(Error::new(key.span(), message));
        }
        input.parse::<Token![=]>()?;
        let list;
        bracketed!(list in input);
        arguments.only = Some(Punctuated::<_, Token![,]>::parse_terminated(&list)?.into_iter().collect());
        input.parse::<Option<Token![,]>>()?;
        Ok(arguments)
    }
}

impl Parse for Wanted {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let (first, span) = part(input)?;
        if input.parse::<Option<Token![.]>>()?.is_none() {
            return Ok(Self { schema: None, name: first, span });
        }
        let (name, end) = part(input)?;
        Ok(Self { schema: Some(first), name, span: span.join(end).unwrap_or(end) })
    }
}

/// A name of the database: as it is, or, where it is no Rust identifier, as a string.
fn part(input: ParseStream<'_>) -> Result<(String, Span)> {
    if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        return Ok((literal.value(), literal.span()));
    }
    if !input.peek(Ident::peek_any) {
        return Err(input.error("a relation is wanted here: `position`, `audit.event`, `\"Odd name\"`"));
    }
    let ident = input.call(Ident::parse_any)?;
    Ok((ident.unraw().to_string(), ident.span()))
}
