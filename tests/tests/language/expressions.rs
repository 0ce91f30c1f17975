//! Expressions, by the rows of the table of constructs.

mod access;
mod arrays;
mod calls;
mod forms;
mod nested;
mod operators;
mod rows;
mod subqueries;
mod traps;
