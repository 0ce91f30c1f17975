use anyhow::{Context, ensure};
use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

/// Makes a component of a core module, which carries its world in a custom section.
pub(super) fn from_module(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    ensure!(has_world(module), "it is no plugin: it wants `callslip_sdk::export_plugin!` with its queries");
    ComponentEncoder::default()
        .validate(true)
        .module(module)
        .context("the module's world can't be read: are callslip-sdk and this command of one release?")?
        .encode()
        .context("the module is not as its world says: a plugin may import nothing else")
}

/// Whether a module has the section where the SDK writes the world. Without one the encoder makes a component
/// that neither imports nor exports anything.
fn has_world(module: &[u8]) -> bool {
    Parser::new(0).parse_all(module).any(|payload| match payload {
        Ok(Payload::CustomSection(section)) => section.name().starts_with("component-type"),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(module)`
    const EMPTY_MODULE: &[u8] = b"\0asm\x01\0\0\0";

    #[test]
    fn a_module_without_a_world_is_no_plugin() {
        let error = from_module(EMPTY_MODULE).unwrap_err().to_string();
        assert!(error.contains("export_plugin!"), "{error}");
    }

    #[test]
    fn a_world_that_can_not_be_read_is_an_error() {
        let module = [EMPTY_MODULE, b"\0\x12\x0ecomponent-type\xff\xff\xff"].concat();
        let error = format!("{:#}", from_module(&module).unwrap_err());
        assert!(error.contains("one release"), "{error}");
    }
}
