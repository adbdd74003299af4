//! Who is asked about frames: an endpoint with tickets, or a service that answers at once.
//!
//! Does not know what is asked.

use crate::backends::remote::runpod::Endpoint;
use crate::backends::remote::runpod::Submission;
use crate::backends::remote::service::Service;
use crate::backends::transport::form::Attachment;
use crate::exchange::Exchange;
use crate::failure::Class;
use crate::failure::Failure;
use crate::name::Ticket;
use crate::template::Filled;
use crate::template::Names;
use bytes::Bytes;
use serde_json::Value;

/// What a frame is where it leaves the machine.
pub(in crate::stages) const JPEG: &str = "image/jpeg";

/// Who is asked.
pub enum Asked {
    /// An endpoint, which gives tickets.
    Endpoint(Box<Endpoint>),
    /// A service, which answers at once.
    Service(Box<Service>),
}

impl From<Endpoint> for Asked {
    fn from(endpoint: Endpoint) -> Self {
        Self::Endpoint(Box::new(endpoint))
    }
}

impl From<Service> for Asked {
    fn from(service: Service) -> Self {
        Self::Service(Box::new(service))
    }
}

impl Asked {
    pub(in crate::stages) fn body(
        &self,
        input: &Filled,
        files: &[&Bytes],
    ) -> Result<Bytes, Failure> {
        match self {
            Self::Endpoint(endpoint) => endpoint.body(input),
            Self::Service(service) => {
                let files = files.iter().enumerate().map(|(number, jpeg)| Attachment {
                    name: format!("{number}.jpg"),
                    media_type: JPEG,
                    bytes: Bytes::clone(jpeg),
                });
                service.body(input, &files.collect::<Vec<_>>())
            }
        }
    }

    /// Sends a request that knows `names`.
    pub(in crate::stages) async fn submit(
        &self,
        names: &Names,
        body: Bytes,
        exchange: &mut Exchange,
    ) -> Result<Submission, Failure> {
        match self {
            Self::Endpoint(endpoint) => endpoint.submit(body, exchange).await,
            Self::Service(service) => {
                let head = service.head(names)?;
                let output = service.ask(head, body, JPEG, exchange).await?;
                Ok(Submission::Output(output))
            }
        }
    }

    pub(in crate::stages) async fn wait(
        &self,
        ticket: &Ticket,
        exchange: &mut Exchange,
    ) -> Result<Value, Failure> {
        match self {
            Self::Endpoint(endpoint) => endpoint.wait(ticket, exchange).await,
            Self::Service(_) => Err(Failure::new(Class::Lost, "a service gives no tickets")),
        }
    }

    pub(in crate::stages) async fn withdraw(&self, ticket: &Ticket, running: bool) -> bool {
        match self {
            Self::Endpoint(endpoint) => endpoint.withdraw(ticket, running).await,
            Self::Service(_) => false,
        }
    }

    /// The head of a request that knows `names`, for people.
    pub(in crate::stages) fn show(&self, names: &Names) -> Result<String, Failure> {
        match self {
            Self::Endpoint(endpoint) => Ok(endpoint.show()),
            Self::Service(service) => service.show(&service.head(names)?, JPEG),
        }
    }
}
