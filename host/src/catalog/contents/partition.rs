use super::ObjectName;

/// How the rows of a partitioned table are parted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Partitioning {
    /// What `pg_get_partkeydef` says: `RANGE (created_at)`, `LIST (lower(country))`, `HASH (id)`.
    pub key: String,
}

/// What a partition is a part of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartitionOf {
    /// The partitioned table.
    pub parent: ObjectName,
    /// Which rows it has, as SQL: `FOR VALUES IN (2024)`, `DEFAULT`.
    pub bounds: String,
}
