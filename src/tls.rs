//! TLS: one implementation and one cryptography for the whole process, chosen once.

use std::sync::Once;

static CHOSEN: Once = Once::new();

/// Chooses the cryptography. Whatever opens a connection of its own calls it first: without a choice rustls panics.
pub fn prepare() {
    CHOSEN.call_once(|| {
        // An error means that somebody chose already, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    });
}
