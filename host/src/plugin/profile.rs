use std::{fmt, time::Duration};

use wasmtime::WasmFeatures;

/// What kind of component a plugin is, which decides how large it may be and in which engine it runs. Whoever loads a
/// plugin says so; a component can't choose for itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "host", derive(serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Profile {
    /// What the SDK builds, and whatever else has no runtime of its own, such as C: small, quick, and held tight.
    #[default]
    Compact,
    /// What carries an interpreter along, such as that of JavaScript: a thousand times as large, and slower by as
    /// much. Each call has a fresh instance all the same.
    Script,
}

/// What the plugins of one [`Profile`] may cost. The defaults of both profiles are here, side by side:
///
/// | | compact | script |
/// |---|---|---|
/// | [`component_bytes`](Self::component_bytes) | 4 MiB | 32 MiB |
/// | [`functions`](Self::functions) | 10,000 | 40,000 |
/// | [`items`](Self::items) | 2,000 | 100,000 |
/// | [`instructions`](Self::instructions) | 600,000 | 8,000,000 |
/// | [`function_bytes`](Self::function_bytes) | 128 KiB | 256 KiB |
/// | [`live_values`](Self::live_values) | 2,000 | 2,000 |
/// | [`nesting`](Self::nesting) | 1,000 | 4,000 |
/// | [`stretch`](Self::stretch) | 8,000 | 40,000 |
/// | [`compilation_work`](Self::compilation_work) | 4,000,000 | 80,000,000 |
/// | [`arity`](Self::arity) | 64 | 64 |
/// | [`instances`](Self::instances) | 8 | 64 |
/// | [`memory_bytes`](Self::memory_bytes) | 16 MiB | 64 MiB |
/// | [`table_elements`](Self::table_elements) | 4,096 | 16,384 |
/// | [`stack_bytes`](Self::stack_bytes) | 256 KiB | 1 MiB |
/// | [`plan_time`](Self::plan_time) | 50 ms | 250 ms |
/// | [`manifest_time`](Self::manifest_time) | 200 ms | 1 s |
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProfileLimits {
    /// The bytes of a component, its debug information included.
    pub component_bytes: usize,
    /// The functions that a component defines, adapters to its imports and exports included. Even an empty one takes
    /// about 25 µs to compile.
    pub functions: usize,
    /// What a component has of everything that is no code: types, imports, exports, aliases, globals, segments, sections.
    pub items: usize,
    /// The instructions of all its functions. One takes up to 15 µs to compile. A component of JavaScript has 4,300,000.
    pub instructions: usize,
    /// The bytes of one function.
    pub function_bytes: usize,
    /// The parameters and locals of one function, and likewise the most values that it has on the operand stack.
    pub live_values: usize,
    /// The blocks within each other in one function.
    pub nesting: usize,
    /// The instructions that one function may run in a row, without a call or loop; a division counts as 10 of them, a call of
    /// the host's own, as `memory.grow` is one, as 100. A plugin is stopped where it calls or loops, and nowhere on its way back
    /// out of calls within each other: with the stack this bounds how late it is stopped. What the SDK builds has up to
    /// 2,000, the interpreter of JavaScript 15,000.
    pub stretch: usize,
    /// The work of compiling: for each function, the values that can be live in it times its branches and calls, and one for
    /// each hundred bytes; added up. A unit takes a microsecond or two, so that the default of the compact profile is
    /// some seconds. The component of a dozen queries has about 100,000.
    pub compilation_work: usize,
    /// The parameters of a core function type, and likewise its results.
    pub arity: usize,
    /// The core modules that a component instantiates, likewise the components within it, and likewise its tables.
    pub instances: usize,

    /// The bytes of an instance's memory, a multiple of 64 KiB.
    pub memory_bytes: usize,
    /// The elements of a table.
    pub table_elements: usize,
    /// The bytes of a plugin's call stack.
    pub stack_bytes: usize,
    /// How long *plan* may run, counted in milliseconds in which it had a thread. The wall clock gives it ten times
    /// that, for when the machine is busy.
    pub plan_time: Duration,
    /// How long *manifest* may run, counted likewise.
    pub manifest_time: Duration,
}

/// The WebAssembly proposals that plugins may use: what `rustc` and `clang` need for `wasm32-unknown-unknown` and
/// nothing else, since each further one is more of a compiler that may be wrong.
const FEATURES: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::FLOATS)
    .union(WasmFeatures::COMPONENT_MODEL);

impl Profile {
    /// Both.
    pub const ALL: &[Self] = &[Self::Compact, Self::Script];

    /// The word for it: `compact` or `script`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Compact => "compact",
            Self::Script => "script",
        }
    }

    /// What its components may use of WebAssembly.
    pub(super) fn features(self) -> WasmFeatures {
        match self {
            Self::Compact => FEATURES,
            // The loader of Python's shared libraries computes where they are.
            Self::Script => FEATURES.union(WasmFeatures::EXTENDED_CONST),
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ProfileLimits {
    /// The defaults of a profile.
    pub fn of(profile: Profile) -> Self {
        match profile {
            Profile::Compact => Self {
                component_bytes: 4 << 20,
                functions: 10_000,
                items: 2_000,
                instructions: 600_000,
                function_bytes: 128 << 10,
                live_values: 2_000,
                nesting: 1_000,
                stretch: 8_000,
                compilation_work: 4_000_000,
                arity: 64,
                instances: 8,
                memory_bytes: 16 << 20,
                table_elements: 4_096,
                stack_bytes: 256 << 10,
                plan_time: Duration::from_millis(50),
                manifest_time: Duration::from_millis(200),
            },
            Profile::Script => Self {
                component_bytes: 32 << 20,
                functions: 40_000,
                items: 100_000,
                instructions: 8_000_000,
                function_bytes: 256 << 10,
                live_values: 2_000,
                nesting: 4_000,
                stretch: 40_000,
                compilation_work: 80_000_000,
                arity: 64,
                instances: 64,
                memory_bytes: 64 << 20,
                table_elements: 16_384,
                stack_bytes: 1 << 20,
                plan_time: Duration::from_millis(250),
                manifest_time: Duration::from_secs(1),
            },
        }
    }
}

impl Default for ProfileLimits {
    fn default() -> Self {
        Self::of(Profile::Compact)
    }
}
