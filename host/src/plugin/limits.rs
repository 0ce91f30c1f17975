use std::num::NonZeroUsize;

use super::{Profile, ProfileLimits};

/// What a plugin may cost its host. The defaults suit plugins that the SDK builds.
///
/// ```
/// # use callslip::plugin::Limits;
/// let mut limits = Limits::default();
/// limits.compact.plan_time = std::time::Duration::from_millis(10);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// What plugins of the compact profile may cost.
    pub compact: ProfileLimits,
    /// What plugins of the script profile may cost.
    pub script: ProfileLimits,
    /// How many components are scanned and compiled at once, and on how many threads: the other processors are left to
    /// calls. Default: 2, or 1 on a machine of fewer than four processors.
    pub compilations: NonZeroUsize,
    /// How many plugins run at once; further calls wait. Default: the processors of this machine.
    pub calls: NonZeroUsize,
    /// How many runs of one plugin's code there are at once; further calls of it wait, and take no place from other
    /// plugins meanwhile. A plan takes microseconds, so that one is enough, and a plugin that does not come back holds one
    /// processor at most. Default: 1.
    pub runs: NonZeroUsize,
    /// How many runs of a plugin fail, in a row or of the last twice as many, until it is suspended. Default: 5.
    pub failures: u32,
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
        let processors = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self {
            compact: ProfileLimits::of(Profile::Compact),
            script: ProfileLimits::of(Profile::Script),
            compilations: compilations(processors),
            calls: processors,
            runs: NonZeroUsize::MIN,
            failures: 5,
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

impl Limits {
    /// What plugins of a profile may cost.
    pub fn of(&self, profile: Profile) -> &ProfileLimits {
        match profile {
            Profile::Compact => &self.compact,
            Profile::Script => &self.script,
        }
    }
}

fn compilations(processors: NonZeroUsize) -> NonZeroUsize {
    NonZeroUsize::new(processors.get() / 2).map_or(NonZeroUsize::MIN, |half| half.min(TWO))
}

const TWO: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);
