//! The protocols of servers that infer, as one enum: submit a request, wait for its answer, cancel
//! it.

use crate::backends::remote::openai::Transcriptions;
use crate::backends::remote::runpod::Endpoint;
use crate::backends::remote::service::Service;
use crate::backends::remote::submission::Submission;
use crate::backends::transport::form::Attachment;
use crate::backends::transport::redaction::Redaction;
use crate::exchange::Exchange;
use crate::facts::Encoding;
use crate::failure::Class;
use crate::failure::Failure;
use crate::name::Ticket;
use crate::template::Filled;
use crate::template::Names;
use bytes::Bytes;
use serde_json::Value;
use tokio::time::Instant;

/// A server that infers.
#[derive(Debug)]
pub enum Remote {
    /// An endpoint of RunPod Serverless, which gives tickets.
    Runpod(Box<Endpoint>),
    /// A server with OpenAI's API for sound, which answers at once.
    Openai(Box<Transcriptions>),
    /// Any other HTTP server that answers with JSON, at once.
    Service(Box<Service>),
}

impl From<Endpoint> for Remote {
    fn from(endpoint: Endpoint) -> Self {
        Self::Runpod(Box::new(endpoint))
    }
}

impl From<Transcriptions> for Remote {
    fn from(server: Transcriptions) -> Self {
        Self::Openai(Box::new(server))
    }
}

impl From<Service> for Remote {
    fn from(service: Service) -> Self {
        Self::Service(Box::new(service))
    }
}

impl Remote {
    /// How a request carries the bytes of frames and sound.
    pub fn encoding(&self) -> Encoding {
        match self {
            Self::Runpod(_) => Encoding::Base64,
            Self::Openai(_) => Encoding::Raw,
            Self::Service(service) => service.encoding(),
        }
    }

    /// Takes the keys of the run out of what is told and kept of its answers.
    pub fn redaction(&self) -> &Redaction {
        match self {
            Self::Runpod(endpoint) => endpoint.redaction(),
            Self::Openai(server) => server.redaction(),
            Self::Service(service) => service.redaction(),
        }
    }

    /// The host that gets the frames or the sound.
    pub fn host(&self) -> String {
        match self {
            Self::Runpod(endpoint) => endpoint.host(),
            Self::Openai(server) => server.host(),
            Self::Service(service) => service.host(),
        }
    }

    /// Where requests are sent, without keys and without what is not shown.
    pub fn address(&self) -> String {
        match self {
            Self::Runpod(endpoint) => endpoint.address(),
            Self::Openai(server) => server.address(),
            Self::Service(service) => service.place(),
        }
    }

    /// The body of a request with these fields, which name the files by number.
    ///
    /// # Errors
    ///
    /// Of class `too-large` where the server takes less, `refused` where the body cannot be made.
    pub fn body(&self, fields: &Filled, files: &[Attachment]) -> Result<Bytes, Failure> {
        match self {
            Self::Runpod(endpoint) => endpoint.body(fields),
            Self::Openai(server) => server.body(fields, files),
            Self::Service(service) => service.body(fields, files),
        }
    }

    /// Sends a request about files of `media_type` and notes in `exchange` what the server tells
    /// of it. `names` are what the headers and the query of a service may refer to.
    ///
    /// # Errors
    ///
    /// Where the request was not accepted; the class says whether it is sent again.
    pub async fn submit(
        &self,
        names: &Names,
        media_type: &str,
        body: Bytes,
        exchange: &mut Exchange,
    ) -> Result<Submission, Failure> {
        match self {
            Self::Runpod(endpoint) => endpoint.submit(body, exchange).await,
            Self::Openai(server) => {
                let output = server.submit(body, exchange).await?;
                Ok(Submission::Output(output))
            }
            Self::Service(service) => {
                let head = service.head(names)?;
                let output = service.ask(head, body, media_type, exchange).await?;
                Ok(Submission::Output(output))
            }
        }
    }

    /// Waits for the output of an accepted request and notes in `exchange` what the server tells
    /// of it; calls `heard` with when it was asked, whenever it tells something.
    ///
    /// # Errors
    ///
    /// Of class `network` or `server-error` where the server tells nothing several times in a row;
    /// of another class where there will be no output for this ticket.
    pub async fn wait(
        &self,
        ticket: &Ticket,
        exchange: &mut Exchange,
        heard: &(dyn Fn(Instant) + Sync),
    ) -> Result<Value, Failure> {
        match self {
            Self::Runpod(endpoint) => endpoint.wait(ticket, exchange, heard).await,
            Self::Openai(_) | Self::Service(_) => {
                Err(Failure::new(Class::Lost, "the server gives no tickets"))
            }
        }
    }

    /// Cancels an accepted request; gives whether the server did. With `running` false only where
    /// no worker has begun.
    pub async fn cancel(&self, ticket: &Ticket, running: bool) -> bool {
        match self {
            Self::Runpod(endpoint) => endpoint.cancel(ticket, running).await,
            Self::Openai(_) | Self::Service(_) => false,
        }
    }

    /// The address and the headers of a request, a line each, without the key.
    ///
    /// # Errors
    ///
    /// Of class `refused` where they cannot be made.
    pub fn show(&self, names: &Names, media_type: &str) -> Result<String, Failure> {
        match self {
            Self::Runpod(endpoint) => Ok(endpoint.show()),
            Self::Openai(server) => server.show(),
            Self::Service(service) => service.show(&service.head(names)?, media_type),
        }
    }
}
