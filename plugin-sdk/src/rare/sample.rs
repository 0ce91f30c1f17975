use std::panic::Location;

use callslip_ir::{NodeId, NodeKind, QualifiedName, Sample};

use crate::{Columns, Expressions, IntoExpr, Table, TypedTable, arena};

/// How TABLESAMPLE takes rows. Made by [`bernoulli`], [`system`] and [`sampling_method`].
#[derive(Clone)]
#[must_use = "a method does nothing until a table is sampled by it"]
pub struct SamplingMethod(Sample);

/// `BERNOULLI (percent)`: each row with the same chance. It reads the whole table.
#[track_caller]
pub fn bernoulli(percent: impl IntoExpr) -> SamplingMethod {
    sampling_method("bernoulli", percent.into_expr())
}

/// `SYSTEM (percent)`: each page of the table with the same chance, with all rows on it. It reads only those.
#[track_caller]
pub fn system(percent: impl IntoExpr) -> SamplingMethod {
    sampling_method("system", percent.into_expr())
}

/// `method (arguments)`, for a method of an extension: `sampling_method("public.system_rows", 100)`.
#[track_caller]
pub fn sampling_method(method: &str, arguments: impl Expressions) -> SamplingMethod {
    let arguments = arguments.into_expressions();
    SamplingMethod(Sample { method: QualifiedName::parse(method), arguments, seed: None })
}

impl SamplingMethod {
    /// `REPEATABLE (seed)`: the same rows each time, while the table does not change.
    #[track_caller]
    pub fn repeatable(mut self, seed: impl IntoExpr) -> Self {
        self.0.seed = Some(seed.into_expr().id);
        self
    }
}

/// Tables of which a part can be taken.
pub trait TableSample: Sized {
    /// `table TABLESAMPLE method (…)`: some of its rows, chosen at random. Only tables and materialized views have it.
    #[track_caller]
    fn tablesample(self, method: SamplingMethod) -> Self;
}

impl<T: TypedTable> TableSample for T {
    #[track_caller]
    fn tablesample(self, method: SamplingMethod) -> Self {
        let table = sampled(self.columns().relation(), method, Location::caller());
        Self::bind(Columns::of(table, Self::COLUMNS))
    }
}

impl TableSample for Table {
    #[track_caller]
    fn tablesample(self, method: SamplingMethod) -> Self {
        let written_at = Location::caller();
        self.with_node(|table| sampled(table, method, written_at))
    }
}

fn sampled(table: NodeId, method: SamplingMethod, written_at: &'static Location<'static>) -> NodeId {
    let sample = |kind: &mut NodeKind| {
        if let NodeKind::Table(table) = kind {
            table.sample = Some(method.0);
        }
    };
    arena::change_relation(table, sample, written_at)
}
