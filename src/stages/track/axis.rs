//! A Kalman filter of one number that moves at a speed: where a box is along one axis, or how tall
//! it is.
//!
//! With noise that is the same for all axes and no axis that says anything of another, the filters
//! of eight numbers that trackers are described with are four of these.

/// What is known of the number and its speed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    pub(super) at: f64,
    /// By one of whatever time is counted in.
    pub(super) speed: f64,
    // The variances of both, and their covariance.
    at_variance: f64,
    covariance: f64,
    speed_variance: f64,
}

/// How much less is known of an axis after some time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noise {
    pub(super) at: f64,
    pub(super) covariance: f64,
    pub(super) speed: f64,
}

impl Noise {
    /// That of a number which changes all the time, by a variance of `at` in all.
    pub(super) fn of_place(at: f64) -> Self {
        Self {
            at,
            covariance: 0.0,
            speed: 0.0,
        }
    }

    /// That of a speed which changes all the time, by `rate` (a variance) in one of time.
    pub(super) fn of_acceleration(rate: f64, time: f64) -> Self {
        Self {
            at: rate * time.powi(3) / 3.0,
            covariance: rate * time.powi(2) / 2.0,
            speed: rate * time,
        }
    }
}

impl Axis {
    /// What is known after the number was seen once: nothing says that it moves.
    pub(super) fn new(at: f64, at_variance: f64, speed_variance: f64) -> Self {
        Self {
            at,
            speed: 0.0,
            at_variance,
            covariance: 0.0,
            speed_variance,
        }
    }

    /// `time` later.
    pub(super) fn predict(&mut self, time: f64, noise: Noise) {
        self.at += self.speed * time;
        self.at_variance += time * (2.0 * self.covariance + time * self.speed_variance) + noise.at;
        self.covariance += time * self.speed_variance + noise.covariance;
        self.speed_variance += noise.speed;
    }

    /// The variance of where the number will be seen, where it is seen to `variance`.
    pub(super) fn seen_variance(&self, variance: f64) -> f64 {
        self.at_variance + variance
    }

    /// Learns that the number was seen, to `variance`.
    pub(super) fn update(&mut self, seen: f64, variance: f64) {
        let total = self.seen_variance(variance);
        let (gain, speed_gain) = (self.at_variance / total, self.covariance / total);
        let off = seen - self.at;
        self.at += gain * off;
        self.speed += speed_gain * off;
        self.speed_variance -= speed_gain * self.covariance;
        self.covariance *= 1.0 - gain;
        self.at_variance *= 1.0 - gain;
    }
}
