//! Medians and percentiles.

/// The value that `share` (0 to 1) of `values` are at most; not a number when there are none.
pub(crate) fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(index.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// The middle one of `values`, or the mean of the middle two.
pub(crate) fn median(values: &[f64]) -> f64 {
    let upper: Vec<f64> = values.iter().map(|value| -value).collect();
    f64::midpoint(percentile(values, 0.5), -percentile(&upper, 0.5))
}
