//! Tests as JUnit writes them, in XML: what CI servers show.

use crate::app::AppError;
use crate::app::TestOutcome;
use crate::app::TestReport;
use crate::app::TestState;
use crate::cli::diagnostic;
use crate::cli::diagnostic::Style;
use crate::cli::streams::visible;
use crate::cli::test;
use quick_junit::NonSuccessKind;
use quick_junit::Report;
use quick_junit::SerializeError;
use quick_junit::TestCase;
use quick_junit::TestCaseStatus;
use quick_junit::TestSuite;
use std::path::Path;

/// The report of many tests, which grows test by test: a suite for each folder, in the order in which
/// they come.
#[derive(Default)]
pub(in crate::cli) struct Junit {
    suites: Vec<TestSuite>,
}

impl Junit {
    /// Adds a test.
    pub(in crate::cli) fn add(&mut self, report: &TestReport) {
        let folder = report.file.parent().unwrap_or(Path::new(""));
        let folder = match folder.as_os_str().is_empty() {
            true => ".".to_owned(),
            false => visible(&folder.display().to_string()).into_owned(),
        };
        let case = case(report, &folder);
        let place = self
            .suites
            .iter()
            .position(|suite| suite.name.as_str() == folder);
        let place = place.unwrap_or_else(|| {
            self.suites.push(TestSuite::new(folder));
            self.suites.len() - 1
        });
        if let Some(suite) = self.suites.get_mut(place) {
            suite.time = Some(suite.time.unwrap_or_default() + report.elapsed);
            suite.add_test_case(case);
        }
    }

    /// The text of the file.
    ///
    /// # Errors
    ///
    /// Where a text cannot be written as XML.
    pub(in crate::cli) fn text(self) -> Result<String, SerializeError> {
        let mut report = Report::new("vpipe test");
        report.add_test_suites(self.suites);
        report.to_string()
    }
}

fn case(report: &TestReport, folder: &str) -> TestCase {
    let name = visible(&report.name).into_owned();
    let mut case = TestCase::new(name, status(report));
    case.set_classname(folder);
    case.set_time(report.elapsed);
    case
}

fn status(report: &TestReport) -> TestCaseStatus {
    let kind = match report.state() {
        TestState::Same | TestState::Accepted => return TestCaseStatus::success(),
        TestState::New | TestState::Differs | TestState::Missed => NonSuccessKind::Failure,
        TestState::Failed | TestState::Wrong => NonSuccessKind::Error,
        TestState::Interrupted => return TestCaseStatus::skipped(),
    };
    let lines = test::lines(report);
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(report.state().word());
    status.set_message(visible(lines.first().map_or("", String::as_str)).into_owned());
    status.set_description(match &report.outcome {
        TestOutcome::Failed(AppError::Recipe(mistakes)) => diagnostic::draw(mistakes, Style::Plain),
        TestOutcome::Failed(_)
        | TestOutcome::Compared(_)
        | TestOutcome::Missed(_)
        | TestOutcome::NoCassette { .. }
        | TestOutcome::Interrupted => visible(&lines.join("\n")).into_owned(),
    });
    status
}
