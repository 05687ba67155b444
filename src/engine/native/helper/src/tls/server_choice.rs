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
pub fn choose(certificates: &Certificates, input: &[u8]) -> Choice {
    if !certificates.has_several_policies() {
        return Choice::Policy(certificates.policy_for(""));
    }
    match requested_name(input) {
        Requested::NeedsMore => Choice::NeedsMore,
        Requested::Name(name) => {
            Choice::Policy(certificates.policy_for(name.as_deref().unwrap_or_default()))
        }
    }
}

/// The name that a client asks for.
#[derive(Debug, Eq, PartialEq)]
pub enum Requested {
    /// This one, in lower case; none also by what is no beginning of TLS.
    Name(Option<String>),
    /// The first message is not complete.
    NeedsMore,
}

/// Finds the name in `input`, all that the client has sent so far.
pub fn requested_name(mut input: &[u8]) -> Requested {
    let mut acceptor = Acceptor::default();
    loop {
        match acceptor.accept() {
            Ok(Some(accepted)) => {
                let name = accepted.client_hello().server_name().map(str::to_lowercase);
                return Requested::Name(name);
            }
            Ok(None) if input.is_empty() => return Requested::NeedsMore,
            Ok(None) => {
                // It takes a part, and never fails for a slice.
                if !matches!(acceptor.read_tls(&mut input), Ok(1..)) {
                    return Requested::Name(None);
                }
            }
            Err(_) => return Requested::Name(None),
        }
    }
}
