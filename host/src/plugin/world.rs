//! The bindings of the WIT world.

wasmtime::component::bindgen!({
    path: "../plugin-sdk/wit",
    world: "plugin",
    imports: { default: trappable },
    exports: { default: async },
});

pub(super) use callslip::plugin::diagnostics;
pub(super) use exports::callslip::plugin::queries;
