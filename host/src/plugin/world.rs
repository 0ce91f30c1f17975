//! The bindings of the WIT world.

wasmtime::component::bindgen!({
    path: "../plugin-sdk/wit",
    world: "plugin",
    imports: { default: trappable },
    exports: { default: async },
});

pub(super) use self::callslip::plugin::diagnostics;
pub(super) use self::exports::callslip::plugin::queries;
