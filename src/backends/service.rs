//! A service: one address that takes JSON and answers with JSON, at once.
//!
//! Does not know what is asked or answered.

use super::http::Access;
use super::http::Reply;
use super::http::Server;
use crate::exchange::Exchange;
use crate::failure::Class;
use crate::failure::Failure;
use crate::recipe::HttpSpec;
use crate::template::Filled;
use bytes::Bytes;
use serde_json::Value;

/// What the key is for, as users are told: a service has no host of its own.
pub const KEY_HOST: &str = "a server of your own";

/// The address of a service, and what it takes.
#[derive(Debug)]
pub struct Service {
    server: Server,
    path: String,
    max_body: usize,
}

impl Service {
    /// The service at `access.base`.
    ///
    /// # Errors
    ///
    /// Of class `refused` where that is no address, or the key would go astray.
    pub fn new(spec: &HttpSpec, access: &Access) -> Result<Self, Failure> {
        // The path is sent as it was written.
        let (scheme, rest) = access.base.split_once("://").unwrap_or(("", &access.base));
        let cut = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(cut);
        let access = Access {
            base: format!("{scheme}://{host}"),
            ..access.clone()
        };
        Ok(Self {
            server: Server::new(&access, spec.request_timeout, spec.max_answer)?,
            path: format!("/{}", path.trim_start_matches('/')),
            max_body: spec.max_body,
        })
    }

    /// The host, as users know it.
    pub fn host(&self) -> String {
        self.server.host()
    }

    /// The body of a request.
    ///
    /// # Errors
    ///
    /// Of class `too-large` where it has more bytes than the service takes, `refused` where it is
    /// no JSON.
    pub fn body(&self, input: &Filled) -> Result<Bytes, Failure> {
        let body = serde_json::to_vec(input).map_err(|error| {
            let why = format!("the request of the recipe is no JSON: {error}");
            Failure::new(Class::Refused, why)
        })?;
        if body.len() > self.max_body {
            let why = format!("the request is larger than {} bytes", self.max_body);
            return Err(Failure::new(Class::TooLarge, why));
        }
        Ok(body.into())
    }

    /// The answer to a request.
    ///
    /// # Errors
    ///
    /// Where there is none that is JSON; the class says whether it is asked for again.
    pub async fn ask(&self, body: Bytes, exchange: &mut Exchange) -> Result<Value, Failure> {
        exchange.sent = body.len() as u64;
        let reply = self.server.post(&self.path, body).await?;
        self.read(&reply)
    }

    // The words of a server are left out: they may hold anything.
    fn read(&self, reply: &Reply) -> Result<Value, Failure> {
        let class = match reply.status {
            200..=299 => {
                return serde_json::from_slice(&reply.body).map_err(|error| {
                    let why = format!("{} answers with what is no JSON: {error}", self.host());
                    Failure::new(Class::BadAnswer, why)
                });
            }
            408 | 425 | 429 | 500 | 502..=504 => Class::Busy,
            413 => Class::TooLarge,
            300..=399 | 401 | 403 | 404 | 405 | 407 | 410 => Class::Refused,
            _ => Class::Worker,
        };
        let failure = Failure::new(class, format!("{} answers {}", self.host(), reply.status));
        Err(match reply.retry_after {
            Some(pause) => failure.retry_after(pause),
            None => failure,
        })
    }
}
