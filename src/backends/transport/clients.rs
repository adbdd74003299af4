//! What connections are made with, once for all servers of a run.

use crate::failure::Class;
use crate::failure::Failure;
use reqwest::Client;
use reqwest::redirect::Policy;
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls_platform_verifier::BuilderVerifierExt;
use std::error::Error;
use std::sync::Arc;
use std::sync::OnceLock;

/// What the servers of a run are reached with. It is made once, because that reads all certificates
/// which this machine trusts. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Clients {
    here: Arc<OnceLock<Client>>,
    away: Arc<OnceLock<Client>>,
}

impl Clients {
    /// For this machine, or for others.
    ///
    /// # Errors
    ///
    /// Of class `refused` where no connections can be made.
    pub(super) fn to(&self, here: bool) -> Result<Client, Failure> {
        let made = if here { &self.here } else { &self.away };
        match made.get() {
            Some(client) => Ok(client.clone()),
            None => {
                let client = client(here)?;
                Ok(made.get_or_init(|| client).clone())
            }
        }
    }
}

// Nothing for this machine goes through a proxy, and what goes elsewhere as the machine says.
fn client(here: bool) -> Result<Client, Failure> {
    let refused = |what: &str, error: &dyn Error| {
        let why = format!("no {what} connections can be made: {error}");
        Failure::new(Class::Refused, why)
    };
    let tls = tls().map_err(|error| refused("encrypted", &error))?;
    let builder = Client::builder()
        .tls_backend_preconfigured(tls)
        // A redirect could lead a key elsewhere.
        .redirect(Policy::none());
    let builder = if here { builder.no_proxy() } else { builder };
    builder.build().map_err(|error| refused("HTTP", &error))
}

fn tls() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth())
}
