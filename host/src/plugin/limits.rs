use std::{num::NonZeroUsize, time::Duration};

/// What a plugin may cost its host. The defaults suit plugins that the SDK builds.
///
/// ```
/// # use callslip::plugin::Limits;
/// let mut limits = Limits::default();
/// limits.plan_time = std::time::Duration::from_millis(10);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The bytes of a component, its debug information included. Default: 4 MiB.
    pub component_bytes: usize,
    /// The functions that a component defines, adapters to its imports and exports included. Even an empty one takes
    /// about 25 µs to compile. Default: 10,000.
    pub functions: usize,
    /// The bytes of one function. Default: 128 KiB.
    pub function_bytes: usize,
    /// The parameters and locals of one function, and likewise the most values that it has on the operand stack.
    /// Default: 2,000.
    pub live_values: usize,
    /// The work of compiling: for each function, the values that can be live in it times its branches, of which each
    /// hundred bytes count as one; added up. A unit takes a microsecond or two, so the default is some seconds. The
    /// component of a dozen queries has about 100,000. Default: 4,000,000.
    pub compilation_work: usize,
    /// The parameters of a core function type, and likewise its results. Default: 64.
    pub arity: usize,
    /// The core modules that a component instantiates, likewise the components within it, and likewise its tables.
    /// Default: 8.
    pub instances: usize,
    /// How many components are scanned and compiled at once. Default: 2.
    pub compilations: NonZeroUsize,

    /// The bytes of an instance's memory, a multiple of 64 KiB. Default: 16 MiB.
    pub memory_bytes: usize,
    /// The elements of a table. Default: 4,096.
    pub table_elements: usize,
    /// The bytes of a plugin's call stack. Default: 256 KiB.
    pub stack_bytes: usize,
    /// How many plugins run at once; further calls wait. Default: the processors of this machine.
    pub calls: NonZeroUsize,
    /// How long *plan* may run, counted in milliseconds in which it had a thread. The wall clock gives it ten times
    /// that, for when the machine is busy. Default: 50 ms.
    pub plan_time: Duration,
    /// How long *manifest* may run, counted likewise. Default: 200 ms.
    pub manifest_time: Duration,
    /// The bytes of a manifest, and likewise of all shapes and bindings of a plan. Default: 1 MiB.
    pub output_bytes: usize,
    /// The bytes of one shape. Read, the smallest node of three bytes takes eighty times as many. A shape of 5,000 nodes, which
    /// is as large as the host verifies, has about 100,000 bytes. Default: 256 KiB.
    pub shape_bytes: usize,
    /// The statements of a plan. Default: 16.
    pub statements: usize,

    /// The queries of a plugin. Default: 256.
    pub queries: usize,
    /// The parameters of a query, and likewise its claims. Default: 64.
    pub parameters: usize,
    /// The labels of an enum. Default: 256.
    pub labels: usize,
    /// What can be seen of all parameters and claims of a query, added up. Default: 1,024.
    pub seen_values: usize,
    /// The examples of a query. Default: 32.
    pub examples: usize,
    /// The shapes of a query that are proven at load. Default: 256.
    pub shapes: usize,

    /// The bytes of one argument of a request. PostgreSQL can't be interrupted within some operations on huge values.
    /// Default: 256 KiB.
    pub argument_bytes: usize,
    /// The elements of an array that a request gives. Default: 10,000.
    pub array_elements: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            component_bytes: 4 << 20,
            functions: 10_000,
            function_bytes: 128 << 10,
            live_values: 2_000,
            compilation_work: 4_000_000,
            arity: 64,
            instances: 8,
            compilations: NonZeroUsize::MIN.saturating_add(1),
            memory_bytes: 16 << 20,
            table_elements: 4_096,
            stack_bytes: 256 << 10,
            calls: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            plan_time: Duration::from_millis(50),
            manifest_time: Duration::from_millis(200),
            output_bytes: 1 << 20,
            shape_bytes: 256 << 10,
            statements: 16,
            queries: 256,
            parameters: 64,
            labels: 256,
            seen_values: 1_024,
            examples: 32,
            shapes: 256,
            argument_bytes: 256 << 10,
            array_elements: 10_000,
        }
    }
}
