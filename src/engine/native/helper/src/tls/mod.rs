//! TLS (RFC 8446, RFC 5246 with RFC 7627): certificates that clients choose among
//! by name, servers that clients trust, and streams that encrypt.
//!
//! The cryptography is *rustls* with *ring*. Its protocol state machine holds no
//! buffers: records are decrypted and encrypted in memory that the connections
//! of a thread share, so that one which is idle has none.

pub mod certificates;
pub mod client;
pub mod client_policy;
mod outgoing;
mod scratch;
mod server_choice;
mod server_names;
mod server_verifier;
mod session;
pub mod stream;
mod trusted_roots;
mod x509;
