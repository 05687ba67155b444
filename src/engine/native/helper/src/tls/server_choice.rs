//! Which policy for clients a handshake is under, before it begins: it depends on
//! the name that the client asks for (RFC 6066, 3).

use rustls::server::Acceptor;

use super::certificates::{Certificates, PolicyIndex};

/// What is known by the first bytes of a client.
#[derive(Debug, Eq, PartialEq)]
pub enum Choice {
    /// This one.
    Policy(PolicyIndex),
    /// The first message is not complete.
    NeedsMore,
}

/// Chooses by `input`, all that the client has sent so far. What is no beginning
/// of TLS gets the policy for clients without a name, and then an alert.
pub fn choose(certificates: &Certificates, mut input: &[u8]) -> Choice {
    let nobody = certificates.policy_for("");
    if !certificates.has_several_policies() {
        return Choice::Policy(nobody);
    }
    let mut acceptor = Acceptor::default();
    loop {
        match acceptor.accept() {
            Ok(Some(accepted)) => {
                let hello = accepted.client_hello();
                let name = hello.server_name().unwrap_or_default();
                return Choice::Policy(certificates.policy_for(name));
            }
            Ok(None) if input.is_empty() => return Choice::NeedsMore,
            Ok(None) => {
                // It takes a part, and never fails for a slice.
                if !matches!(acceptor.read_tls(&mut input), Ok(1..)) {
                    return Choice::Policy(nobody);
                }
            }
            Err(_) => return Choice::Policy(nobody),
        }
    }
}
