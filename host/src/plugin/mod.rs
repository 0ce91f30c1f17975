//! What a plugin is.
