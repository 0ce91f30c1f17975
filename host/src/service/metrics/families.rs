use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use super::durations::Durations;

/// Writes families of metrics: of each its name, what it says, and a value for each set of labels.
pub(super) struct Families<'a>(pub DescriptorEncoder<'a>);

/// Labels with their values.
pub(super) type Labels<'l, const N: usize> = [(&'static str, &'l str); N];

impl Families<'_> {
    /// Counters, which are named with `_total`.
    pub fn counters<'l, const N: usize>(
        &mut self,
        name: &'static str,
        help: &'static str,
        values: impl IntoIterator<Item = (Labels<'l, N>, u64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in values {
            if N == 0 {
                family.encode_counter::<NoLabelSet, _, u64>(&value, None)?;
            } else {
                family.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&value, None)?;
            }
        }
        Ok(())
    }

    /// Gauges.
    pub fn gauges<'l, const N: usize>(
        &mut self,
        name: &'static str,
        help: &'static str,
        values: impl IntoIterator<Item = (Labels<'l, N>, f64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in values {
            if N == 0 {
                family.encode_gauge(&value)?;
            } else {
                family.encode_family(&labels)?.encode_gauge(&value)?;
            }
        }
        Ok(())
    }

    /// Histograms of durations, in seconds.
    pub fn histograms<'l, const N: usize>(
        &mut self,
        name: &'static str,
        help: &'static str,
        values: impl IntoIterator<Item = (Labels<'l, N>, &'l Durations)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (labels, durations) in values {
            let buckets = durations.buckets();
            let count = buckets.iter().map(|(_, count)| count).sum();
            // What nobody has added to yet says nothing, and has many lines.
            if count > 0 {
                family.encode_family(&labels)?.encode_histogram::<NoLabelSet>(
                    durations.sum(),
                    count,
                    &buckets,
                    None,
                )?;
            }
        }
        Ok(())
    }

    /// What does not change, as labels.
    pub fn info<const N: usize>(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: &Labels<'_, N>,
    ) -> fmt::Result {
        self.0.encode_descriptor(name, help, None, MetricType::Info)?.encode_info(labels)
    }
}
