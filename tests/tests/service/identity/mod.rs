//! Who calls, as clients of HTTP see it: keys and tokens, roles, how often, and from which pages.

mod attacks;
mod browsers;
mod issuer;
mod keys;
mod limits;
mod roles;
mod secrets;
mod serving;
mod tokens;
