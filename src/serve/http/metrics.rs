//! Metrics, in Prometheus' text format: <https://prometheus.io/docs/instrumenting/exposition_formats/>.
//!
//! All names and labels are this server's own, so nothing in them needs to be escaped.

use crate::serve::handlers::MeterReading;
use crate::serve::http::jobs::BOUNDS;
use crate::serve::http::jobs::EndStatus;
use crate::serve::http::jobs::JobCounts;
use crate::serve::http::jobs::Tally;
use crate::serve::http::service::Service;
use std::fmt::Display;

/// The type that Prometheus knows the text by.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How the service is, as text.
pub(super) fn text(service: &Service) -> String {
    let counts = service.jobs.counts();
    let mut page = Page::default();
    page.metric("vpipe_ready", "gauge", "Whether the models are loaded");
    page.sample("vpipe_ready", "", u8::from(service.is_ready()));
    page.metric("vpipe_slots", "gauge", "Jobs that are done at once at most");
    page.sample("vpipe_slots", "", service.slots);
    jobs(&mut page, &counts);
    histogram(&mut page, &counts.tally);
    if let Some(handlers) = service.handlers() {
        models(&mut page, &handlers.meter());
    }
    page.metric(
        "vpipe_memory_bytes",
        "gauge",
        "Memory of requests, jobs and results",
    );
    page.sample("vpipe_memory_bytes", "", counts.bytes);
    page.metric("vpipe_memory_limit_bytes", "gauge", "The most of it");
    page.sample("vpipe_memory_limit_bytes", "", counts.most_bytes);
    page.metric("vpipe_connections", "gauge", "Connections that are open");
    page.sample("vpipe_connections", "", service.connections.count());
    page.metric(
        "vpipe_requests_total",
        "counter",
        "Requests by route and status",
    );
    for ((route, status), count) in service.requests.counts() {
        let labels = format!("route=\"{route}\",status=\"{status}\"");
        page.sample("vpipe_requests_total", &labels, count);
    }
    page.0
}

fn jobs(page: &mut Page, counts: &JobCounts) {
    let tally = &counts.tally;
    page.metric("vpipe_jobs", "gauge", "Jobs by where they are");
    page.sample("vpipe_jobs", "state=\"waiting\"", counts.waiting);
    page.sample("vpipe_jobs", "state=\"running\"", counts.running);
    let ended = counts.known - counts.waiting - counts.running;
    page.sample("vpipe_jobs", "state=\"kept\"", ended);
    page.metric(
        "vpipe_jobs_ended_total",
        "counter",
        "Jobs by how they ended",
    );
    for status in [
        EndStatus::Completed,
        EndStatus::Failed,
        EndStatus::Cancelled,
        EndStatus::TimedOut,
    ] {
        let label = format!("status=\"{}\"", status.word());
        page.sample("vpipe_jobs_ended_total", &label, tally.count(status));
    }
    page.metric(
        "vpipe_jobs_retried_total",
        "counter",
        "Jobs that were done again",
    );
    page.sample("vpipe_jobs_retried_total", "", tally.retried);
    page.metric("vpipe_frames_total", "counter", "Frames of completed jobs");
    page.sample("vpipe_frames_total", "", tally.frames);
    page.metric(
        "vpipe_work_seconds_total",
        "counter",
        "Seconds that all slots were at work",
    );
    page.sample("vpipe_work_seconds_total", "", tally.work.as_secs_f64());
}

// What the models did for jobs and for other requests.
fn models(page: &mut Page, meter: &MeterReading) {
    for (name, help, value) in [
        (
            "vpipe_detector_frames_total",
            "Frames that the detector looked at",
            meter.frames as f64,
        ),
        (
            "vpipe_detector_batches_total",
            "How often it was run for them",
            meter.batches as f64,
        ),
        (
            "vpipe_sounds_total",
            "Sounds that were transcribed",
            meter.sounds as f64,
        ),
        (
            "vpipe_heard_seconds_total",
            "Seconds of sound that were heard",
            meter.heard_seconds,
        ),
        (
            "vpipe_model_seconds_total",
            "Seconds that sessions worked",
            meter.busy_seconds,
        ),
    ] {
        page.metric(name, "counter", help);
        page.sample(name, "", value);
    }
}

fn histogram(page: &mut Page, tally: &Tally) {
    let name = "vpipe_job_execution_seconds";
    page.metric(name, "histogram", "How long jobs were worked on");
    let bucket = format!("{name}_bucket");
    let mut below = 0;
    for (bound, count) in BOUNDS.iter().zip(tally.classes) {
        below += count;
        page.sample(&bucket, &format!("le=\"{bound:?}\""), below);
    }
    page.sample(&bucket, "le=\"+Inf\"", tally.worked_on);
    page.sample(&format!("{name}_sum"), "", tally.work.as_secs_f64());
    page.sample(&format!("{name}_count"), "", tally.worked_on);
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn metric(&mut self, name: &str, kind: &str, help: &str) {
        let lines = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
        self.0.push_str(&lines);
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        let labels = match labels {
            "" => String::new(),
            labels => format!("{{{labels}}}"),
        };
        self.0.push_str(&format!("{name}{labels} {value}\n"));
    }
}
