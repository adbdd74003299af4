//! Affordability: whether what is left to pay fits `--max-cost`, as far as the forecast says, before
//! anything is paid.

use crate::app::compile::Compiled;
use crate::app::error::AppError;
use crate::plan;
use crate::plan::Forecast;

/// What the user is told of a limit that is less than what is expected.
///
/// # Errors
///
/// Where even the low end of `forecast` is above what is `allowed`, in US dollars.
pub(super) fn check(
    compiled: &Compiled,
    forecast: &Forecast,
    allowed: Option<f64>,
) -> Result<Option<String>, AppError> {
    let Some(allowed) = allowed else {
        return Ok(None);
    };
    let cost = forecast.cost();
    if cost.low > allowed {
        let least = dollars(cost.low);
        return Err(AppError::Budget {
            message: format!(
                "what is left to ask costs at least {least}, and --max-cost allows ${allowed}"
            ),
            help: Some(format!(
                "allow that or more (about {} is expected); {}",
                dollars(cost.expected.max(cost.low)),
                fitting(compiled, allowed)
            )),
        });
    }
    let expected = dollars(cost.expected);
    Ok((cost.expected > allowed).then(|| {
        format!(
            "--max-cost allows ${allowed}, and about {expected} is expected: earlier inputs are done \
             first, and none is begun that does not fit"
        )
    }))
}

// How many inputs fit, from the first one on.
fn fitting(compiled: &Compiled, allowed: f64) -> String {
    let videos = &compiled.facts.videos;
    let least = |count: usize| {
        let videos = videos.get(..count).unwrap_or_default();
        let forecast = plan::forecast_of(&compiled.plan, &compiled.facts, videos);
        forecast.cost().low
    };
    let fits = (1..videos.len()).rev().map(|count| (count, least(count)));
    let all = videos.len();
    match fits.into_iter().find(|(_, least)| *least <= allowed) {
        None if all == 1 => "--first TIME takes less of the input".to_owned(),
        None => format!("not even the first of the {all} inputs fits"),
        Some((1, least)) => {
            let least = dollars(least);
            format!("the first of the {all} inputs costs at least {least}")
        }
        Some((count, least)) => {
            let least = dollars(least);
            format!("the first {count} of the {all} inputs cost at least {least}")
        }
    }
}

// Never less than `amount`, so that what is told is enough.
fn dollars(amount: f64) -> String {
    format!("${:.4}", (amount * 1e4 - 1e-6).ceil() / 1e4)
}
