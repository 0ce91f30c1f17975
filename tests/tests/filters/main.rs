//! Row filters: a plugin is given the rows that pass and learns nothing of the others, by values, by errors, or by what a
//! view or a partition shows.

#![allow(clippy::unwrap_used)] // in helpers of tests, which clippy does not know as tests

mod attacks;
mod calls;
mod grouping;
mod kin;
mod plans;
mod resolution;
mod support;
