//! What a plugin may touch.
