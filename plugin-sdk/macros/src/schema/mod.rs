//! `schema!`.

mod arguments;
mod documentation;
mod identifier;
mod layout;
mod snapshot;
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
    let path = Path::new(&directory).join(arguments.path.value());
    let Some(path) = path.to_str() else {
        return Err(refuse(format!("the path {} is not Unicode", path.display())));
    };
    let text = std::fs::read_to_string(path).map_err(|error| {
        refuse(format!(
            "can't read {path}: {error}\n\
             the path is relative to the crate's Cargo.toml; `{}` writes the file from a database",
            snapshot::COMMAND
        ))
    })?;
    let snapshot = Snapshot::parse(&text).map_err(|message| refuse(format!("{path} {message}")))?;
    let layout = Layout::new(&snapshot, arguments.only.as_deref())?;
    write::tables(path, &layout)
}
