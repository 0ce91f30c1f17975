//! `schema!`.

mod arguments;
mod documentation;
mod identifier;
mod keys;
mod layout;
mod selection;
mod snapshot;
#[cfg(test)]
mod tests;
mod types;
mod write;

use std::{env, path::Path};

use proc_macro2::TokenStream;
use syn::{Error, Result};

use arguments::Arguments;
use layout::Layout;
use snapshot::Snapshot;

pub(crate) fn expand(arguments: TokenStream) -> Result<TokenStream> {
    let arguments: Arguments = syn::parse2(arguments)?;
    let refuse = |message: String| Error::new(arguments.path.span(), message);
    let directory = env::var_os("CARGO_MANIFEST_DIR")
        .ok_or_else(|| refuse("`schema!` needs CARGO_MANIFEST_DIR, which cargo sets".to_owned()))?;
    let written = arguments.path.value();
    let path = Path::new(&directory).join(&written);
    let Some(path) = path.to_str() else {
        return Err(refuse(format!("the path {} is not Unicode", path.display())));
    };
    let text = std::fs::read_to_string(path).map_err(|error| {
        refuse(format!(
            "can't read `{written}`, from the folder of this crate's Cargo.toml: {error}\n\
             `{}` writes it from a database",
            snapshot::COMMAND
        ))
    })?;
    let snapshot = Snapshot::parse(&text).map_err(|message| refuse(format!("`{written}` {message}")))?;
    let layout = Layout::new(&snapshot, arguments.only.as_deref())?;
    Ok(write::tables(path, &layout))
}
